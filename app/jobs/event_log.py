"""The one writer of all running jobs of a process: natural group commit, durable before visible.

It takes whatever has accumulated, commits it in one transaction on a thread and connection of its own, then publishes
it, and starts over. An idle server commits the first token at once; a busy one batches. Cost grows with commits, not
with tokens times jobs.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Any, TypeVar

from app.clock import monotonic
from app.db.session import Database
from app.jobs.complaints import Complaints
from app.jobs.group_commit import ON_ROW, PHASE, PROGRESS, Part, Written, write, write_all
from app.jobs.lease import Claimed, Connection, End, StoredEvent, renew
from app.jobs.notify import Hub
from app.jobs.states import Phase
from app.observability import metrics

logger = logging.getLogger(__name__)
T = TypeVar("T")

PAUSE_SECONDS = 0.005  # between commits of a busy server
BEAT_SECONDS = 3.0
SELF_STOP_SECONDS = 10.0  # no renewal committed for so long: stop before somebody else may claim
RETRY_SECONDS = 0.25
LATE_AT_MOST = 60.0  # seconds for which leases are renewed while the event loop stands still
MAX_PENDING_BYTES = 1_048_576
_ITEM_BYTES = 64

CANCEL, LOST, DRAIN, TIME_LIMIT = "cancel", "lost", "drain", "time_limit"


class Lease:
    """This process's right to write one job. `stop()` cancels the task that runs it and says why."""

    def __init__(self, claimed: Claimed) -> None:
        self.job = claimed
        self.id, self.attempt = claimed.id, claimed.attempt
        self.pending: list[tuple[str, Any]] = []
        self.pending_bytes = 0
        self.last_event_id = claimed.last_event_id  # as far as is known
        self.unsure: list[tuple[str, str]] = []  # of a commit whose outcome is not
        self.end: End | None = None
        self.began = self.committed_at = monotonic()
        self.spent: dict[str, Any] = dict(claimed.spent)  # by earlier attempts and, when it is over, by this one
        self.stop_reason: str | None = None
        self.closing = False  # its end or its return is being written: too late to stop it
        self.task: asyncio.Task[None] | None = None
        self.durable: asyncio.Future[bool] | None = None

    def stop(self, reason: str) -> None:
        if self.stop_reason is None and not self.closing:
            self.stop_reason = reason
            if self.task is not None:
                self.task.cancel()


def _part_of(lease: Lease) -> Part:
    """What has accumulated; it is the commit's from now on."""
    pending, lease.pending = lease.pending, []
    return Part(lease.id, lease.attempt, pending, lease.end, lease.last_event_id, lease.unsure)


def _size_of(data: Any) -> int:
    """In memory: around a text of one letter there is a lot else."""
    return _ITEM_BYTES + (len(data) if isinstance(data, str) else 0)


class EventLog:
    def __init__(
        self,
        database: Database,
        hub: Hub,
        on_commit: Callable[[int, int], None],
        *,
        on_publish: Callable[[str, Sequence[StoredEvent]], None] = lambda _job_id, _events: None,
        owner: str = "teahouse",
    ) -> None:
        """`on_commit(first, last)` is told the row ids that a commit added; last < first when none.

        On PostgreSQL row ids mean nothing: there it is not called.
        """
        self._database, self._owner = database, owner
        self.transient = database.transient
        self._hub = hub
        self._on_commit, self._on_publish = on_commit, on_publish
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="event-log")
        self._connection: Any = None
        self._turn = database.turn_among_processes()
        self._dirty: dict[str, Lease] = {}
        self._leases: dict[str, Lease] = {}
        self._work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._renewed_at = float("-inf")  # from outside
        self._complains = Complaints()
        self.commits = 0
        self.unwritable: set[str] = set()  # jobs that were given up because a commit of theirs cannot be made

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._connection = await loop.run_in_executor(self._thread, self._open)
        self._task = asyncio.create_task(self._write_for_ever(), name="event-log")

    def renew_from_outside(self, late: float) -> None:
        """In a thread of its own, while something holds up the event loop: nobody takes over what is not dead.

        Not for ever: a loop that stands still for a minute does not come back.
        """
        if late > LATE_AT_MOST or not self._leases or monotonic() - self._renewed_at < BEAT_SECONDS:
            return
        with closing(self._database.connect(write=True)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            renew(connection, self._owner)
            connection.execute("COMMIT")
        self._renewed_at = monotonic()

    def _open(self) -> Any:
        return self._database.connect(write=True, name=self._owner)

    @property
    def alive(self) -> bool:
        return self._task is not None and not self._task.done()

    async def stop(self) -> None:
        """Commit what there is, then close; a database that does not take it is not waited for."""
        if self._task is not None:
            self._stopping = True
            self._work.set()
            await self._task
        loop = asyncio.get_running_loop()
        if self._connection is not None:
            await loop.run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown(wait=False)
        if self._turn is not None:
            self._turn.close()

    # --- leases -------------------------------------------------------------------------------------------------

    def adopt(self, claimed: Claimed) -> Lease:
        lease = self._leases[claimed.id] = Lease(claimed)
        return lease

    @property
    def leases(self) -> Sequence[Lease]:
        return list(self._leases.values())

    def append(self, lease: Lease, event: str, data: Any) -> None:
        """Add to the log soon. A `delta` or `thinking` is given as text, joined with its neighbours."""
        if event in ON_ROW and lease.pending and lease.pending[-1][0] == event:
            lease.pending[-1] = (event, data)  # only the newest counts
        else:
            lease.pending.append((event, data))
            lease.pending_bytes += _size_of(data)
        self._mark(lease)

    def progress(self, lease: Lease, done: int, total: int | None, unit: str) -> None:
        """Show how far the job is, with the next commit."""
        self.append(lease, PROGRESS, {"done": done, "total": total, "unit": unit})

    def phase(self, lease: Lease, phase: Phase) -> None:
        """Show where the run stands, with the next commit. That it writes shows by itself."""
        self.append(lease, PHASE, {"phase": phase})

    async def flush(self, lease: Lease) -> bool:
        """Wait until everything appended is durable; False when the lease was lost instead."""
        if lease.durable is None:
            lease.durable = asyncio.get_running_loop().create_future()
        durable = lease.durable
        self._mark(lease)
        return await asyncio.shield(durable)

    async def finish(self, lease: Lease, how: End) -> bool:
        """End the job, once: the rest of its text, its state and `done` in one commit. False: the lease was lost."""
        lease.end, lease.closing = how, True
        try:
            return await self.flush(lease)
        finally:
            self._leases.pop(lease.id, None)

    def forget(self, lease: Lease) -> None:
        self._leases.pop(lease.id, None)
        self._dirty.pop(lease.id, None)

    def published(self, job_id: str, events: Sequence[StoredEvent]) -> None:
        """Show viewers, here and elsewhere, what has been committed."""
        for event in events:
            if event.ended is not None:
                metrics.JOBS_ENDED.add(1, *event.ended)
        self._hub.publish(job_id, events)
        self._on_publish(job_id, events)

    def _mark(self, lease: Lease) -> None:
        self._dirty[lease.id] = lease
        self._work.set()

    # --- transactions -------------------------------------------------------------------------------------------

    async def run(self, step: Callable[[Connection], T]) -> T:
        """One transaction on the log's connection: claims, rescues, cancels."""
        async with self._database.my_turn(urgent=True):
            loop = asyncio.get_running_loop()
            work = loop.run_in_executor(self._thread, self._transaction, step)
            # A cancelled caller must not leave the turn while the thread is still inside the transaction.
            try:
                result, first, last = await asyncio.shield(work)
            except asyncio.CancelledError:
                await asyncio.wait([work])
                raise
        if not self._database.is_postgres:
            self._on_commit(first, last)
        return result

    def _transaction(self, step: Callable[[Connection], T]) -> tuple[T, int, int]:
        connection = self._connection
        if self._turn is not None:
            self._turn.take()
        try:
            connection.execute("BEGIN IMMEDIATE")
            # Nobody else can write meanwhile, so the row ids that are added here are contiguous.
            before = self._last_row()
            result = step(connection)
            after = self._last_row()
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        finally:
            if self._turn is not None:
                self._turn.give()
        return result, before + 1, after

    def _last_row(self) -> int:
        if self._database.is_postgres:
            return 0
        row = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'job_events'").fetchone()
        return row[0] if row else 0

    async def _write_for_ever(self) -> None:
        beaten_at = monotonic()
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT_SECONDS / 3):
                    await self._work.wait()
            if monotonic() - beaten_at >= BEAT_SECONDS / 3:
                beaten_at = monotonic()
                self._beat()
            self._work.clear()
            if self._dirty:
                await self._commit()
                await asyncio.sleep(PAUSE_SECONDS)
        if self._dirty:
            await self._commit()
        for lease in list(self._dirty.values()):
            self._lose(lease)

    def _beat(self) -> None:
        now = monotonic()
        for lease in self.leases:
            if now - max(lease.committed_at, self._renewed_at) > SELF_STOP_SECONDS:
                self._lose(lease)
            elif now - lease.committed_at >= BEAT_SECONDS:
                self._dirty[lease.id] = lease

    async def _commit(self) -> None:
        batch = [(lease, _part_of(lease)) for lease in self._dirty.values()]
        self._dirty = {}
        began = monotonic()
        try:
            committed = await self.run(lambda connection: write_all(connection, [part for _, part in batch]))
        except self.transient as error:
            await self._wait_for_database(batch, error)
        except Exception:
            logger.exception("a group commit of %d jobs failed", len(batch))
            await self._commit_one_by_one(batch)
        else:
            self.commits += 1
            metrics.LOG_COMMITS.observe(monotonic() - began)
            for (lease, part), result in zip(batch, committed, strict=True):
                self._settle(lease, part, result)

    async def _wait_for_database(self, batch: list[tuple[Lease, Part]], error: Exception) -> None:
        metrics.LOG_COMMIT_FAILURES.add()
        if self._complains():
            logger.error("the database does not take a commit (%s); %d jobs wait", error, len(batch))
        for lease, part in batch:
            again = part.pending
            if self._database.is_postgres:
                # The connection may have been cut between the commit and its answer: they may be there.
                lease.unsure = part.tried()
                again = [item for item in again if item[0] in ON_ROW]
            lease.pending = again + lease.pending
            self._mark(lease)
        await asyncio.sleep(RETRY_SECONDS)

    async def _commit_one_by_one(self, batch: list[tuple[Lease, Part]]) -> None:
        """One job's fault must not hold up the others: it is given up, and rescued like a dead one."""
        for lease, part in batch:
            try:
                result = await self.run(partial(write, part=part))
            except self.transient as error:
                await self._wait_for_database([(lease, part)], error)
            except Exception:
                logger.exception("job %s cannot be written", lease.id)
                self.unwritable.add(lease.id)
                self._lose(lease)
            else:
                self._settle(lease, part, result)

    def _settle(self, lease: Lease, part: Part, result: Written) -> None:
        if result.events is None:
            self._lose(lease)
            return
        lease.committed_at = monotonic()
        lease.unsure = []
        if result.events:
            lease.last_event_id = result.events[-1].seq
        lease.pending_bytes = sum(_size_of(data) for _, data in lease.pending)
        if result.events:
            self.published(lease.id, result.events)
        if result.cancel_requested:
            lease.stop(CANCEL)
        if lease.durable is not None and not lease.pending and lease.end is part.end:
            lease.durable.set_result(True)
            lease.durable = None

    def _lose(self, lease: Lease) -> None:
        logger.warning("lease lost: job %s attempt %d", lease.id, lease.attempt)
        self.forget(lease)
        lease.stop(LOST)
        if lease.durable is not None:
            lease.durable.set_result(False)
            lease.durable = None

"""Rescue the jobs of the dead, fold the logs of the ended, prune what has had its time."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from app.clock import monotonic, utcnow
from app.db.types import to_text
from app.jobs import counts, slots
from app.jobs import lease as leases
from app.jobs.complaints import Complaints
from app.jobs.event_log import EventLog
from app.jobs.lease import LEASE_SECONDS, MAX_CRASHES, Connection, End, StoredEvent
from app.jobs.liveness import Liveness
from app.jobs.registry import handler_of
from app.jobs.states import JobStatus
from app.observability import metrics

logger = logging.getLogger(__name__)

SCAN_SECONDS = 2.0
DOUBT_SECONDS = 1.0  # who lives has connected again by then
_jitter = random.SystemRandom()
FOLD_AFTER = timedelta(seconds=60)  # viewers of other processes read a log's end meanwhile
FOLDS_AT_ONCE = 100
KEYS_LIVE = timedelta(hours=24)
PRUNE_SECONDS = 3600.0
# Seconds. A job that was there twice when the server fell is tried apart, when what fell with it is done: it may be
# innocent, as all are when the machine itself goes up and down. Each start of a server makes it wait anew: only a
# server that stood for a while and then fell with the job in it has shown that the job is to blame.
SUSPECT_PAUSES = (0.5, 15.0)
POISONED = {"code": "poisoned", "message": "This job stopped the server three times.", "retryable": True}

_RUNNING = "SELECT id, attempt, beat, lease_owner FROM jobs WHERE status = 'running'"
_PROGRESSED = "SELECT 1 FROM job_events WHERE job_id = ? AND attempt = ? AND event IN ('delta', 'thinking') LIMIT 1"
_SUSPECTS_WAIT = """
UPDATE jobs SET run_after = :calm WHERE status = 'queued' AND crashes >= :crashes AND run_after < :calm
"""
_UNFOLDED = "SELECT id FROM jobs WHERE finished_at IS NOT NULL AND folded = 0 AND finished_at < ? LIMIT ?"

Duty = Callable[[Connection], None]
"""What another domain has done at each scan, in a transaction of its own. Mostly there is nothing: let it be cheap."""


class Maintenance:
    def __init__(
        self,
        log: EventLog,
        owner: str,
        liveness: Liveness,
        *,
        each_scan: Callable[[], None],
        duties: Sequence[Duty] = (),
    ) -> None:
        self._log, self._owner, self._liveness, self._each_scan = log, owner, liveness, each_scan
        self._duties = duties
        # (job, attempt, beat) -> since when it stands still, by this process's monotonic clock:
        # two wall clocks are never compared.
        self._watched: dict[tuple[str, int, int], float] = {}
        self._begun = False
        self._pruned_at = -PRUNE_SECONDS
        self._task: asyncio.Task[None] | None = None
        self._complains = Complaints()

    def start(self) -> None:
        self._task = asyncio.create_task(self._loop(), name="maintenance")

    @property
    def alive(self) -> bool:
        return self._task is not None and not self._task.done()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _loop(self) -> None:
        while True:
            try:
                await self.scan()
            except Exception as error:
                if not isinstance(error, self._log.transient) or self._complains():
                    logger.exception("maintenance failed")
            pause = DOUBT_SECONDS if self._liveness.in_doubt else SCAN_SECONDS
            await asyncio.sleep(pause * _jitter.uniform(0.7, 1.3))

    async def scan(self) -> None:
        if not self._begun:
            await self._log.run(_let_suspects_wait)
            self._begun = True
        rescued = await self._log.run(self._rescue)
        metrics.JOBS_RESCUED.add(len(rescued))
        for job_id, event in rescued:
            self._log.published(job_id, [event])
        for duty in (_fold, counts.tidy, *self._duties):
            await self._log.run(duty)
        if monotonic() - self._pruned_at > PRUNE_SECONDS:
            self._pruned_at = monotonic()
            await self._log.run(_prune)
            await self._log.run(counts.mend)
            await self._log.run(slots.forget)
        self._each_scan()

    def _rescue(self, connection: Connection) -> list[tuple[str, StoredEvent]]:
        ours = {lease.id for lease in self._log.leases}
        rows = [row for row in connection.execute(_RUNNING).fetchall() if row[0] not in ours]
        moved = {row[3] for row in rows if row[:3] not in self._watched}
        self._watched = {key: self._watched.get(key, monotonic()) for key in (row[:3] for row in rows)}
        dead = self._liveness.dead(connection, {row[3] for row in rows} - {self._owner}, moved)
        rescued = []
        for job_id, attempt, beat, owner in rows:
            if owner not in dead and not self._stands_still(job_id, attempt, beat, owner):
                continue
            logger.warning("rescuing job %s from %s", job_id, owner)
            # What this process itself let go (a lost lease, a cancelled claim) is no crash.
            crashed = owner != self._owner or job_id in self._log.unwritable
            event = self._apart(connection, partial(rescue, connection, job_id, attempt, crashed=crashed))
            if event is not None:
                self._log.unwritable.discard(job_id)
                rescued.append((job_id, event))
        return rescued

    def _apart(self, connection: Connection, step: Callable[[], StoredEvent | None]) -> StoredEvent | None:
        """A job that cannot be rescued must not keep the others from it."""
        connection.execute("SAVEPOINT apart")
        try:
            event = step()
        except self._log.transient:  # nor can the others be, then
            raise
        except Exception:
            logger.exception("a job cannot be rescued")
            connection.execute("ROLLBACK TO apart")
            event = None
        connection.execute("RELEASE apart")
        return event

    def _stands_still(self, job_id: str, attempt: int, beat: int, owner: str) -> bool:
        still_for = monotonic() - self._watched[job_id, attempt, beat]
        return still_for > (SCAN_SECONDS if owner == self._owner else LEASE_SECONDS)


def rescue(connection: Connection, job_id: str, attempt: int, *, crashed: bool = True) -> StoredEvent | None:
    """Back to the queue; a job that has now stopped its runner for the third time is failed instead.

    Only crashes in a row without a word written count: a job that gets on is not what kills the server.
    """
    if leases.cancel_requested(connection, job_id):
        return abandon(connection, job_id, attempt, JobStatus.cancelled, None)
    (crashes,) = connection.execute("SELECT crashes FROM jobs WHERE id = ?", (job_id,)).fetchone() or (0,)
    pause = 0.0
    if crashed and connection.execute(_PROGRESSED, (job_id, attempt)).fetchone():
        connection.execute(
            "UPDATE jobs SET crashes = 0 WHERE id = ? AND attempt = ? AND status = 'running'", (job_id, attempt)
        )
    elif crashed:
        pause = _suspect_pause(crashes)
    released = leases.release(
        connection, job_id, attempt, run_after=utcnow() + timedelta(seconds=pause), crashed=crashed
    )
    if released is None:
        return None
    event, crashes = released
    if crashes < MAX_CRASHES:
        return event
    return abandon(connection, job_id, attempt, JobStatus.failed, POISONED)


def _suspect_pause(crashes: int) -> float:
    return SUSPECT_PAUSES[min(crashes, len(SUSPECT_PAUSES) - 1)] * _jitter.uniform(0.5, 1.5)


def _let_suspects_wait(connection: Connection) -> None:
    calm = utcnow() + timedelta(seconds=_suspect_pause(MAX_CRASHES))
    connection.execute(_SUSPECTS_WAIT, {"calm": to_text(calm), "crashes": len(SUSPECT_PAUSES)})


def abandon(
    connection: Connection, job_id: str, attempt: int, status: JobStatus, error: dict[str, Any] | None
) -> StoredEvent | None:
    """End a job that nobody runs, with its domain's own rows."""
    (kind,) = connection.execute("SELECT kind FROM jobs WHERE id = ?", (job_id,)).fetchone()
    handler = handler_of(kind)
    how = End(status, error=error, effects=[lambda c: handler.abandoned(c, job_id, status, error)])
    return leases.end(connection, job_id, attempt, how)


def _fold(connection: Connection) -> None:
    """The text of an ended job is in its message: its log goes, a late reader gets a snapshot."""
    before = to_text(utcnow() - FOLD_AFTER)
    for (job_id,) in connection.execute(_UNFOLDED, (before, FOLDS_AT_ONCE)).fetchall():
        connection.execute("DELETE FROM job_events WHERE job_id = ?", (job_id,))
        connection.execute("UPDATE jobs SET folded = 1 WHERE id = ?", (job_id,))


def _prune(connection: Connection) -> None:
    connection.execute("DELETE FROM idempotency_keys WHERE created_at < ?", (to_text(utcnow() - KEYS_LIVE),))

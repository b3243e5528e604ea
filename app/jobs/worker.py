"""Claim jobs and run many at once in this process; stop gracefully."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.jobs import lease as leases
from app.jobs.complaints import Complaints
from app.jobs.event_log import CANCEL, DRAIN, LOST, EventLog
from app.jobs.lease import Claimed, Connection
from app.jobs.registry import JobContext
from app.jobs.runner import run_job
from app.jobs.slots import Learner, Slots, SlotsOf, known, may_try_more, share, tried_more

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
LEARN_SECONDS = 0.7
CLAIMS_AT_ONCE = 32  # so that several processes share a burst
MOST_PATIENT = 4  # jobs that can wait, such as titles: where slots have no limit, answers that end together bring many

_OURS = "SELECT id, cancel_requested_at IS NOT NULL FROM jobs WHERE status = 'running' AND lease_owner = ?"
_READY_QUEUES = """
SELECT DISTINCT queue, priority FROM jobs WHERE status = 'queued' AND blocked = 0 ORDER BY queue, priority
"""
_RUNS = "SELECT 1 FROM jobs WHERE status = 'running' AND queue = ?"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a process may run. `only` and `without` name queues."""

    priorities: tuple[int, ...] = (0, 1)
    only: frozenset[str] | None = None
    without: frozenset[str] = frozenset()
    at_once: int = 0  # 0 = no limit
    poll_seconds: float = POLL_SECONDS  # how often it looks without having been told


class Worker:
    def __init__(
        self,
        log: EventLog,
        owner: str,
        *,
        slots_of: SlotsOf,
        per_user: int,
        services: Any,
        claims: Claims | None = None,
    ) -> None:
        self._log, self._owner, self._claims = log, owner, claims or Claims()
        self._slots_of, self._per_user, self._services = slots_of, per_user, services
        self._tasks: set[asyncio.Task[None]] = set()
        self._patient = 0  # of them
        self._wake = asyncio.Event()
        self._loop_task: asyncio.Task[None] | None = None
        self.draining = False
        self._complains = Complaints()
        self._learn = Learner(LEARN_SECONDS)  # of quick models; of slow ones maintenance does, which looks less often

    @property
    def running(self) -> int:
        return len(self._tasks)

    @property
    def alive(self) -> bool:
        return self._loop_task is not None and not self._loop_task.done()

    @property
    def has_room(self) -> bool:
        return not self._claims.at_once or len(self._tasks) < self._claims.at_once

    def start(self) -> None:
        self._loop_task = asyncio.create_task(self._work(), name="worker")

    def wake(self) -> None:
        """There may be something to claim, or to cancel."""
        self._wake.set()

    async def drain(self) -> None:
        """Claim nothing more; what runs commits what it has and goes back to the queue."""
        self.draining = True
        self._stop_all()
        if self._loop_task is not None:
            self.wake()
            await self._loop_task  # not cancelled: what it is claiming at this moment is given back, too
            self._stop_all()
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _stop_all(self) -> None:
        for lease in self._log.leases:
            lease.stop(DRAIN)

    async def _work(self) -> None:
        while not self.draining:
            try:
                more = await self._claim_some()
            except Exception as error:
                if not isinstance(error, self._log.transient) or self._complains():
                    logger.exception("claiming failed")
                more = False
                await asyncio.sleep(POLL_SECONDS)
            if more:
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(self._claims.poll_seconds, POLL_SECONDS if self._tasks else 60.0)):
                    await self._wake.wait()
            self._wake.clear()

    async def _claim_some(self) -> bool:
        if self.draining:
            return False
        held = [lease for lease in self._log.leases if not lease.closing]
        ours, claimed = await self._log.run(self._step)
        for lease in held:
            if ours.get(lease.id):
                lease.stop(CANCEL)
            elif lease.id not in ours and not lease.closing:
                lease.stop(LOST)
        for job in claimed:
            self._start(job)
        return len(claimed) == CLAIMS_AT_ONCE

    def _step(self, connection: Connection) -> tuple[dict[str, bool], list[Claimed]]:
        """What is ours before we claim (by id: whether a cancel was asked for), and what we claimed."""
        ours = {row[0]: bool(row[1]) for row in connection.execute(_OURS, (self._owner,))} if self._tasks else {}
        if self._tasks:
            self._learn(connection)
        claimed: list[Claimed] = []
        most = min(CLAIMS_AT_ONCE, self._claims.at_once - len(self._tasks) if self._claims.at_once else CLAIMS_AT_ONCE)
        if most <= 0:
            return ours, claimed
        for queue, ready in self._ready(connection).items():
            slots = self._slots_of(queue)
            count = known(connection, queue, slots)
            claim = partial(self._claim, connection, queue, slots, count, share(connection, queue, count))
            while len(claimed) < most and (job := claim(ready)):
                claimed.append(job)
                if job.priority and self._patient + sum(job.priority > 0 for job in claimed) >= MOST_PATIENT:
                    ready = [priority for priority in ready if priority == 0]
        return ours, claimed

    def _ready(self, connection: Connection) -> dict[str, list[int]]:
        """The priorities that wait in each queue and that are ours to run."""
        ready: dict[str, list[int]] = {}
        for queue, priority in connection.execute(_READY_QUEUES).fetchall():
            if queue in self._claims.without or (self._claims.only is not None and queue not in self._claims.only):
                continue
            if priority in self._claims.priorities and (priority == 0 or self._patient < MOST_PATIENT):
                ready.setdefault(queue, []).append(priority)
        return ready

    def _claim(
        self, connection: Connection, queue: str, slots: Slots, count: int, most: int, ready: list[int]
    ) -> Claimed | None:
        """An answer; else something that can wait, such as a title, which leaves a slot free for the next answer."""
        claim = partial(leases.claim, connection, queue=queue, owner=self._owner, per_user=self._per_user)
        for priority in ready:
            leaving_one = count - 1 if count > 1 else count
            job = claim(priority=priority, slots=leaving_one if priority else count, share=most)
            if job is not None:
                return job
        if not connection.execute(_RUNS, (queue,)).fetchone():
            return None
        if not slots.learned or 0 not in ready or not may_try_more(connection, queue, count):
            return None
        # Only for somebody who has nothing running: nobody's second answer may stand before a newcomer's first.
        job = claim(priority=0, slots=count + 1, newcomers=True)
        if job is not None:
            tried_more(connection, queue)
        return job

    def _start(self, job: Claimed) -> None:
        lease = self._log.adopt(job)
        self._log.published(job.id, [job.event])
        task = asyncio.create_task(run_job(JobContext(lease, self._log, self._services)), name=f"job-{job.id}")
        self._tasks.add(task)
        self._patient += job.priority > 0
        task.add_done_callback(partial(self._ended, job))

    def _ended(self, job: Claimed, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._patient -= job.priority > 0
        self.wake()

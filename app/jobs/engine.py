"""Everything about jobs that one process has: the one place where its parts meet.

Embedded, the runner lives in the web process. With Celery a web process runs nothing: it tells the workers, which have
an engine like this one that claims.
"""

import asyncio
import os
import secrets
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from app.db.session import Database, unavailable
from app.jobs.control import cancel_now
from app.jobs.dispatch import CeleryDispatcher, Dispatcher
from app.jobs.event_log import EventLog
from app.jobs.lease import Connection, StoredEvent, bring_forward
from app.jobs.liveness import Connections, FileLocks, Liveness, ProcessLock, sweep
from app.jobs.maintenance import Duty, Maintenance
from app.jobs.neighbours import Neighbours, SameMachine
from app.jobs.notify import Hub
from app.jobs.places import Places
from app.jobs.slots import Learner, SlotsOf
from app.jobs.worker import Claims, Worker
from app.observability import metrics
from app.observability.loop_watch import LoopWatch
from app.settings import Settings

AGAIN_SECONDS = 0.1  # somebody else held what was needed: once more, then whoever asks is told


class Engine:
    """Everything about jobs that one process has. Start it inside the event loop."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        slots_of: SlotsOf,
        services: Any,
        duties: Sequence[Duty] = (),
        claims: Claims | None = None,
    ) -> None:
        self.owner = f"process-{os.getpid()}-{secrets.token_hex(4)}"
        self._run_dir = settings.run_dir
        self.hub = Hub()
        self.places = Places(database.lookup)
        self._neighbours = self._neighbours_on(database)
        self.log = EventLog(
            database,
            self.hub,
            self._neighbours.committed,
            on_publish=self._neighbours.published,
            owner=self.owner,
        )
        self.worker = Worker(
            self.log,
            self.owner,
            slots_of=slots_of,
            per_user=settings.max_running_per_user,
            services=services,
            claims=claims,
        )
        # Only who runs nothing itself has to tell others of a new job.
        self._dispatcher: Dispatcher | None = None
        if settings.jobs_engine == "celery" and claims is None:
            self._dispatcher = CeleryDispatcher(settings.redis_url)
        liveness: Liveness = Connections() if database.is_postgres else FileLocks(self._run_dir)
        self._maintenance = Maintenance(
            self.log, self.owner, liveness, each_scan=self._each_scan, duties=[Learner(), *duties]
        )
        self._loop_watch = LoopWatch(self.log.renew_from_outside)
        self._draining: asyncio.Task[None] | None = None

    def _neighbours_on(self, database: Database) -> Neighbours:
        def on_jobs() -> None:
            self.worker.wake()

        if database.is_postgres:
            from app.jobs.listening import Listening

            return Listening(database, self.hub, self.owner, on_jobs)
        return SameMachine(database, self.hub, self._run_dir, self.owner, on_jobs)

    async def start(self) -> None:
        self._run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        sweep(self._run_dir)
        self._lock = ProcessLock(self._run_dir, self.owner)
        await self._neighbours.start()
        await self.log.start()
        self._maintenance.start()
        self._loop_watch.start()
        if self._dispatcher is None:
            self.worker.start()

    async def drain(self) -> None:
        """Within seconds: streams end, runs give their leases back, the others are told. Once, whoever asks."""
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain(), name="drain")
        await asyncio.shield(self._draining)

    async def _drain(self) -> None:
        self.hub.drain()
        await self.worker.drain()
        self._neighbours.tell_of_jobs()

    async def stop(self) -> None:
        await self.drain()
        if self._dispatcher is not None:
            await self._dispatcher.close()
        await self._maintenance.stop()
        await self._loop_watch.stop()
        await self.log.stop()
        await self._neighbours.stop()
        self._lock.close()

    async def check(self) -> None:
        """Raise when a part that jobs need has stopped: then this process is not ready."""
        runner = (self.worker,) if self._dispatcher is None else ()
        for part in (*runner, self.log, self._neighbours, self._maintenance):
            if not part.alive:
                raise RuntimeError(f"{type(part).__name__} has stopped")

    def enqueued(self, job_id: str, kind: str, priority: int = 0) -> None:
        """A job was enqueued (after its commit): whoever can run it is told."""
        if self._dispatcher is not None:
            self._dispatcher.dispatch(job_id, kind, priority)
        else:
            self.wake()

    def wake(self) -> None:
        """Something has changed: look, here and in the other processes."""
        self.worker.wake()
        self._neighbours.tell_of_jobs()

    async def bring_forward(self, job_id: str, kind: str, priority: int) -> None:
        """Let a job that waits after a failure be tried now. Idempotent."""
        if await self._change(job_id, partial(bring_forward, job_id=job_id)):
            self.enqueued(job_id, kind, priority)

    async def cancel(self, job_id: str) -> None:
        """Ask for the end of a job; one that nobody runs ends now. Idempotent."""
        await self._change(job_id, partial(cancel_now, job_id=job_id))
        self.wake()

    async def cancel_at_once(self, job_id: str) -> None:
        """End a job before what it writes is deleted; its runner loses the lease and stops at its next write."""
        await self._change(job_id, partial(cancel_now, job_id=job_id, at_once=True))
        self.wake()

    async def _change(self, job_id: str, step: Callable[[Connection], StoredEvent | None]) -> bool:
        """Whether something has changed; viewers have been told then. Raises when the database does not take it."""
        try:
            event = await self.log.run(step)
        except self.log.transient:
            await asyncio.sleep(AGAIN_SECONDS)
            try:
                event = await self.log.run(step)
            except self.log.transient as error:
                raise unavailable(error) from error
        if event is not None:
            self.log.published(job_id, [event])
        return event is not None

    def _each_scan(self) -> None:
        self._neighbours.look_around()
        metrics.tell_times()

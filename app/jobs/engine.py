"""The embedded engine: the runner lives in the web process. Also the one place where the parts of jobs meet."""

import asyncio
import os
import secrets
from collections.abc import Sequence
from typing import Any

from app.db.session import Database
from app.jobs.control import cancel_now
from app.jobs.event_log import EventLog
from app.jobs.liveness import ProcessLock, sweep
from app.jobs.maintenance import Duty, Maintenance
from app.jobs.notify import Bell, Hub
from app.jobs.tailer import Tailer
from app.jobs.worker import Queues, Worker
from app.observability import metrics
from app.settings import Settings

EVENTS, JOBS = b"e", b"j"


class Engine:
    """Everything about jobs that one process has. Start it inside the event loop."""

    def __init__(
        self, settings: Settings, database: Database, *, queues: Queues, services: Any, duties: Sequence[Duty] = ()
    ) -> None:
        self.owner = f"process-{os.getpid()}-{secrets.token_hex(4)}"
        self._run_dir = settings.run_dir
        self.hub = Hub()
        self._tailer = Tailer(database, self.hub)
        self.log = EventLog(database, self.hub, self._committed)
        self.worker = Worker(
            self.log, self.owner, queues=queues, per_user=settings.max_running_per_user, services=services
        )
        self._maintenance = Maintenance(self.log, self.owner, self._run_dir, each_scan=self._look_around, duties=duties)
        self._draining: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        sweep(self._run_dir)
        self._lock = ProcessLock(self._run_dir, self.owner)
        self._bell = Bell(self._run_dir, self.owner, self._on_ring)
        self._bell.start()
        await self._tailer.start()
        await self.log.start()
        self._maintenance.start()
        self.worker.start()

    async def drain(self) -> None:
        """Within seconds: streams end, runs give their leases back, the others are told. Once, whoever asks."""
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain(), name="drain")
        await asyncio.shield(self._draining)

    async def _drain(self) -> None:
        self.hub.drain()
        await self.worker.drain()
        self._bell.ring(JOBS)

    async def stop(self) -> None:
        await self.drain()
        await self._maintenance.stop()
        await self.log.stop()
        await self._tailer.stop()
        self._bell.close()
        self._lock.close()

    async def check(self) -> None:
        """Raise when a part that jobs need has stopped: then this process is not ready."""
        for part in (self.worker, self.log, self._tailer, self._maintenance):
            if not part.alive:
                raise RuntimeError(f"{type(part).__name__} has stopped")

    def wake(self) -> None:
        """A job was enqueued (after its commit): look, here and in the other processes."""
        self.worker.wake()
        self._bell.ring(JOBS)

    async def cancel(self, job_id: str) -> None:
        """Ask for the end of a job; one that nobody runs ends now. Idempotent."""
        event = await self.log.run(lambda connection: cancel_now(connection, job_id))
        if event is not None:
            self.log.published(job_id, [event])
        self.wake()

    async def cancel_at_once(self, job_id: str) -> None:
        """End a job before what it writes is deleted; its runner loses the lease and stops at its next write."""
        event = await self.log.run(lambda connection: cancel_now(connection, job_id, at_once=True))
        if event is not None:
            self.log.published(job_id, [event])
        self.wake()

    def _committed(self, first: int, last: int) -> None:
        if last >= first:
            self._tailer.own_commit(first, last)
            self._bell.ring(EVENTS)

    def _on_ring(self, kind: bytes) -> None:
        if kind == EVENTS:
            self._tailer.ring()
        else:
            self.worker.wake()

    def _look_around(self) -> None:
        sweep(self._run_dir)
        self._bell.look_around()
        metrics.tell_times()

"""The other processes: they are told what this one has committed, and what they commit is shown to viewers here."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from app.db.session import Database
from app.jobs.lease import StoredEvent
from app.jobs.liveness import sweep
from app.jobs.notify import Bell, Hub
from app.jobs.tailer import Tailer

EVENTS, JOBS = b"e", b"j"


class Neighbours(Protocol):
    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    @property
    def alive(self) -> bool: ...

    def tell_of_jobs(self) -> None:
        """There is something to claim, or to cancel."""

    def committed(self, first: int, last: int) -> None:
        """Rows first…last of the log are this process's own."""

    def published(self, job_id: str, events: Sequence[StoredEvent]) -> None:
        """Viewers here have been shown these."""

    def look_around(self) -> None:
        """Called every few seconds."""


class SameMachine:
    """Processes on one SQLite file: a bell that rings at once, and a tailer that reads what rang."""

    def __init__(self, database: Database, hub: Hub, run_dir: Path, owner: str, on_jobs: Callable[[], None]) -> None:
        self._run_dir, self._owner, self._on_jobs = run_dir, owner, on_jobs
        self._tailer = Tailer(database, hub)

    async def start(self) -> None:
        self._bell = Bell(self._run_dir, self._owner, self._on_ring)
        self._bell.start()
        await self._tailer.start()

    async def stop(self) -> None:
        await self._tailer.stop()
        self._bell.close()

    @property
    def alive(self) -> bool:
        return self._tailer.alive

    def tell_of_jobs(self) -> None:
        self._bell.ring(JOBS)

    def committed(self, first: int, last: int) -> None:
        if last >= first:
            self._tailer.own_commit(first, last)
            self._bell.ring(EVENTS)

    def published(self, job_id: str, events: Sequence[StoredEvent]) -> None:
        return None  # the neighbours read it

    def look_around(self) -> None:
        sweep(self._run_dir)
        self._bell.look_around()

    def _on_ring(self, kind: bytes) -> None:
        if kind == EVENTS:
            self._tailer.ring()
        else:
            self._on_jobs()

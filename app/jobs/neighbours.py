"""The other processes: they are told what this one has committed, and what they commit is shown to viewers here."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import orjson

from app.db.session import Database
from app.jobs.lease import StoredEvent
from app.jobs.liveness import sweep
from app.jobs.notify import MAX_RING_BYTES, Bell, Hub
from app.jobs.tailer import Tailer

EVENTS, JOBS = b"e", b"j"  # EVENTS alone: read them
AGAIN_SECONDS = 0.01


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
    """Processes on one SQLite file: a bell that brings what was committed, and a tailer that reads what it did not."""

    def __init__(self, database: Database, hub: Hub, run_dir: Path, owner: str, on_jobs: Callable[[], None]) -> None:
        self._run_dir, self._owner, self._on_jobs = run_dir, owner, on_jobs
        self._tailer = Tailer(database, hub)
        self._rows: tuple[int, int] | None = None  # committed, and not told yet
        self._events: list[tuple[str, StoredEvent]] = []

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
        if last < first:
            return
        self._tailer.known(first, last)
        if self._rows is None:
            # Viewers here are shown the same commit before the loop goes on: then it is complete.
            asyncio.get_running_loop().call_soon(self._tell)
        self._rows = (self._rows[0] if self._rows else first, last)

    def published(self, job_id: str, events: Sequence[StoredEvent]) -> None:
        if self._rows is not None:
            self._events += [(job_id, event) for event in events]

    def _tell(self) -> None:
        rows, events, self._rows, self._events = self._rows, self._events, None, []
        if rows is None or not self._bell.has_others:
            return
        lines = [(job_id, event.seq, event.event, event.data) for job_id, event in events]
        message = EVENTS + orjson.dumps((*rows, lines))
        if not self._bell.ring(message if len(message) <= MAX_RING_BYTES else EVENTS):
            asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._bell.ring, EVENTS)

    def look_around(self) -> None:
        sweep(self._run_dir)
        self._bell.look_around()

    def _on_ring(self, message: bytes) -> None:
        if message == EVENTS:
            self._tailer.ring()
        elif message.startswith(EVENTS):
            first, last, lines = orjson.loads(message[len(EVENTS) :])
            self._tailer.brought(first, last, [(job_id, StoredEvent(*line)) for job_id, *line in lines])
        else:
            self._on_jobs()

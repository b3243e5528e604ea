"""Processes' engines on one file, without a model server: the handler is a test's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app.db.session import Database
from app.jobs.engine import Engine
from app.jobs.lease import StoredEvent
from app.jobs.notify import Subscription
from app.jobs.queue import enqueue
from app.jobs.slots import Slots
from app.settings import Settings
from tests.jobs.waiting import until


@asynccontextmanager
async def engine_on(
    settings: Settings, *, slots: int = 0, claims: bool = True
) -> AsyncIterator[tuple[Engine, Database]]:
    """One process. With `claims=False` it watches only."""
    database = Database(settings.database)
    engine = Engine(settings, database, slots_of=lambda _queue: Slots(slots), services=None)
    engine.worker.draining = not claims
    await engine.start()
    try:
        yield engine, database
    finally:
        await engine.stop()
        await database.dispose()


async def post(engine: Engine, database: Database, user_id: str, **columns: Any) -> str:
    """A job in the queue, and the worker told."""
    async with database.transaction() as session:
        job, _ = await enqueue(session, **{"kind": "stub", "user_id": user_id, "queue": "ollama", **columns})
    engine.wake()
    return job.id


class Viewer:
    """Collects what a subscription is given."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        subscription.opened(0)
        self.events: list[StoredEvent] = []

    def look(self) -> list[StoredEvent]:
        self.events += self._subscription.take()
        return self.events

    async def done(self, seconds: float = 10.0) -> list[StoredEvent]:
        await until(lambda: any(event.event == "done" for event in self.look()), seconds)
        return self.events

"""What 10,000 waiting jobs cost whoever comes next, and those who watch: `python -m tests.benchmarks.long_queue`.

Two databases, one with an empty queue and one with a long one, asked by turns: the machine's moods are shared.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app import migrations
from app.accounts.principal import Principal
from app.conversations.service import create_conversation
from app.db.session import Database
from app.generations.service import Generations
from app.generations.stream import JobStream
from app.jobs import lease
from app.jobs.engine import Engine
from app.jobs.event_log import EventLog
from app.jobs.lease import Claimed, Connection, End
from app.jobs.models import Job
from app.jobs.slots import Slots
from app.jobs.states import JobStatus
from app.providers.catalog import Providers
from app.settings import Settings
from tests.benchmarks.targets import table
from tests.factories.people import add_person
from tests.jobs.rows import add_job, add_user, transaction
from tests.postgres import postgres_server

WAITING, ROUNDS, BEFORE = 10_000, 150, 20
VIEWERS, WATCHED_SECONDS = 100, 5.0
CROWDS = {"100_users": 100, "10000_users": 10_000}


@dataclass(slots=True)
class Queue:
    """A server that runs nothing: what is claimed is ended at once."""

    database: Database
    engine: Engine
    log: EventLog
    generations: Generations
    asking: list[Principal]
    accepting: list[float] = field(default_factory=list)
    claiming: list[float] = field(default_factory=list)

    async def accept(self, number: int) -> str:
        principal = self.asking[number % len(self.asking)]
        async with self.database.transaction() as session:
            conversation = await create_conversation(session, principal, title="", model="ollama/scripted:latest")
        began = time.perf_counter()
        accepted: Any = await self.generations.send_message(principal, conversation.id, content="How is tea made?")
        self.accepting.append(time.perf_counter() - began)
        return str(accepted.job.id)

    async def claim(self) -> None:
        began = time.perf_counter()
        claimed = await self.log.run(_claim)
        self.claiming.append(time.perf_counter() - began)
        await self.log.run(lambda connection: lease.end(connection, claimed.id, claimed.attempt, _END))

    async def watch(self) -> float:
        """Percent of a core for a hundred who wait for their answers."""
        async with self.database.read() as session:
            query = select(Job.user_id, Job.id).where(Job.status == JobStatus.queued).order_by(Job.id).limit(VIEWERS)
            waiting = (await session.execute(query)).all()
        viewers = [asyncio.create_task(self._follow(*one)) for one in waiting]
        await asyncio.sleep(2)  # all have been told their place
        began = time.process_time()
        await asyncio.sleep(WATCHED_SECONDS)
        spent = time.process_time() - began
        for viewer in viewers:
            viewer.cancel()
        return spent / WATCHED_SECONDS * 100

    async def _follow(self, user_id: str, job_id: str) -> None:
        async for _ in JobStream(self.database, self.engine, user_id, job_id, still_allowed=_always).follow(0):
            pass


async def _always() -> bool:
    return True


_END = End(JobStatus.succeeded)


def _claim(connection: Connection) -> Claimed:
    claimed = lease.claim(connection, queue="ollama", priority=0, owner="bench", slots=4, per_user=4)
    assert claimed is not None
    return claimed


def _vacuum(database: Database) -> None:
    """As PostgreSQL does by itself within a minute, where so much has changed."""
    connection = database.connect(write=True)
    connection.execute("VACUUM ANALYZE")
    connection.close()


@asynccontextmanager
async def queue(settings: Settings, users: int, waiting: int) -> AsyncIterator[Queue]:
    migrations.upgrade(settings.database)
    database, providers = Database(settings.database), Providers(settings)
    engine = Engine(settings, database, slots_of=lambda _queue: Slots(1), services=None)
    engine.enqueued = lambda *_: None  # type: ignore[method-assign]  # nobody is to run it
    asking = [await add_person(database, f"asking-{number}") for number in range(8)]
    await asyncio.to_thread(_fill, database, users, waiting, [one.user_id for one in asking])
    log = EventLog(database, engine.hub, lambda *_: None)
    await log.start()
    try:
        yield Queue(database, engine, log, Generations(settings, database, providers, engine), asking)
    finally:
        await log.stop()
        await providers.aclose()
        await database.dispose()


def _fill(database: Database, users: int, waiting: int, asking: list[str]) -> None:
    """Half of those who ask have as many waiting as the others, the other half has nothing."""
    connection = database.connect(write=True)
    with transaction(connection):
        crowd = [add_user(connection, f"waiting-{number}") for number in range(users if waiting else 0)]
        crowd = [*asking[::2], *crowd][:users]
        for number in range(waiting):
            add_job(connection, crowd[number % users])
    connection.close()


async def compare(settings: list[Settings], users: int) -> dict[str, float]:
    async with queue(settings[0], users, 0) as empty, queue(settings[1], users, WAITING) as long:
        for number in range(BEFORE + ROUNDS):
            for each in (empty, long):
                if number == BEFORE and each.database.is_postgres:
                    await asyncio.to_thread(_vacuum, each.database)
                await each.accept(number)
                await each.claim()
        watching = round(await long.watch(), 1)
    results: dict[str, float] = {}
    for what in ("accepting", "claiming"):
        few, many = (statistics.median(getattr(each, what)[BEFORE:]) * 1000 for each in (empty, long))
        results |= {f"{what}_ms": round(many, 2), f"{what}_ratio": round(many / few, 2)}
    return results | {"watching_percent": watching}


def measure(folder: Path) -> dict[str, Any]:
    results: dict[str, Any] = {}
    with ExitStack() as stack:
        postgres = stack.enter_context(postgres_server(forgetful=False))
        for kind in ("sqlite", "postgresql"):
            for crowd, users in CROWDS.items():
                settings = [
                    Settings(
                        data_dir=folder / f"{kind}-{crowd}-{number}",
                        embedded_model="off",
                        ollama_url="http://127.0.0.1:1",
                        model_slots=4,  # one queue for all models, as it is claimed from
                        max_queued_per_user=0,
                        max_queued=100_000,
                        database_url=postgres.new_database() if kind == "postgresql" else "",
                    )
                    for number in range(2)
                ]
                found = asyncio.run(compare(settings, users))
                results |= {f"queue_{name}_{kind}_{crowd}": value for name, value in found.items()}
    return results


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="teahouse-bench-") as name:
        print(table(measure(Path(name))))

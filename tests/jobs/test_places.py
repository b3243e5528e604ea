"""Places of many: each what `position` says, and one look for all who watch."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from app.db.lookup import Row
from app.db.session import Database
from app.errors import AppError, ErrorKind
from app.jobs import places
from app.jobs.models import Job
from app.jobs.places import Places, places_of
from app.jobs.queue import position
from tests.jobs.rows import add_job, add_user, claimed, transaction
from tests.jobs.test_queue import add_many, counting_steps


class SlowLookup:
    """Answers when it is told to, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.rows: list[Row] | AppError = []
        self.may_answer = asyncio.Event()

    async def all(self, statement: str, parameters: dict[str, Any]) -> Sequence[Row]:
        self.asked += 1
        await self.may_answer.wait()
        if isinstance(self.rows, AppError):
            raise self.rows
        return self.rows

    async def first(self, statement: str, parameters: dict[str, Any]) -> Row | None:
        rows = await self.all(statement, parameters)
        return rows[0] if rows else None

    async def close(self) -> None: ...


@pytest.fixture
def lookup() -> SlowLookup:
    return SlowLookup()


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds."""
    now = [100.0]
    monkeypatch.setattr(places, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize("seed", range(5))
async def test_all_at_once_are_what_each_is_alone(database: Database, connection: Any, seed: int) -> None:
    chance = random.Random(seed)
    people = [add_user(connection, f"person{number}") for number in range(4)]
    with transaction(connection):
        for _ in range(60):
            add_job(connection, chance.choice(people), priority=chance.choice((0, 0, 0, 1, 2)))
        for _ in range(5):
            claimed(connection)
    watched = Places(database.lookup)
    async with database.read() as session:
        jobs = list(await session.scalars(select(Job)))
        alone = {job.id: await position(session, job) for job in jobs}
        waiting = {id: place for id, place in alone.items() if place is not None}
        assert await places_of(session, jobs) == waiting
    assert len(waiting) == 55
    assert {job.id: await watched.of(job.id) for job in jobs} == alone


async def test_of_jobs_that_do_not_wait_nothing_is_asked(database: Database, connection: Any, alice: str) -> None:
    add_job(connection, alice)
    with transaction(connection):
        claimed(connection)
    add_job(connection, alice)
    async with database.read() as session:
        running = list(await session.scalars(select(Job).where(Job.status == "running")))
        assert await places_of(session, running) == {}


async def test_one_look_is_for_all_who_watch(lookup: SlowLookup, now: list[float]) -> None:
    lookup.rows = [(f"job{number:02}", "alice", 0, "ollama", None, None) for number in range(100)]
    watched = Places(lookup)
    viewers = [asyncio.create_task(watched.of(f"job{number:02}")) for number in range(100)]
    await asyncio.sleep(0)
    lookup.may_answer.set()
    assert await asyncio.gather(*viewers) == list(range(1, 101))
    now[0] += places.FRESH_SECONDS / 2
    assert await watched.of("job07") == 8
    assert await watched.of("unknown") is None
    assert lookup.asked == 1
    now[0] += places.FRESH_SECONDS / 2
    lookup.rows = lookup.rows[1:]
    assert await watched.of("job07") == 7
    assert await watched.of("job00") is None
    assert lookup.asked == 2


async def test_who_leaves_takes_nobodys_look_along(lookup: SlowLookup, now: list[float]) -> None:
    lookup.rows = [("job", "alice", 0, "ollama", None, None)]
    watched = Places(lookup)
    leaving, staying = asyncio.create_task(watched.of("job")), asyncio.create_task(watched.of("job"))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.sleep(0)
    lookup.may_answer.set()
    assert await staying == 1
    assert lookup.asked == 1


async def test_a_look_that_failed_is_told_to_all_and_tried_again(lookup: SlowLookup, now: list[float]) -> None:
    lookup.may_answer.set()
    lookup.rows = AppError(ErrorKind.unavailable, "database_unavailable", "The database is busy.")
    watched = Places(lookup)
    told = await asyncio.gather(*(watched.of("job") for _ in range(3)), return_exceptions=True)
    assert told == [lookup.rows] * 3
    lookup.rows = [("job", "alice", 0, "ollama", None, None)]
    assert await watched.of("job") == 1


@pytest.mark.sqlite
async def test_F32_places_do_not_read_what_has_ended(connection: Any, alice: str) -> None:
    add_many(connection, alice, 10_000, "succeeded")
    add_job(connection, alice)
    with counting_steps(connection) as steps:
        assert len(connection.execute(places._WATCHED).fetchall()) == 1
    assert steps[0] < 10

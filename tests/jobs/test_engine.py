"""A process that drains, stops, and shares the queue with another."""

import asyncio
from typing import Any

import pytest

from app.db.session import Database
from app.errors import AppError
from app.jobs import engine as engine_module
from app.jobs.engine import Engine
from app.jobs.registry import JobContext, Outcome
from app.jobs.slots import Slots
from app.settings import Settings
from tests.jobs.engines import engine_on, post
from tests.jobs.rows import broken_invariants, job_row, text_of
from tests.jobs.stub import StubHandler, for_ever
from tests.jobs.waiting import ended, until


@pytest.fixture(autouse=True)
def _promises_hold(connection: Any) -> Any:
    yield
    assert broken_invariants(connection) == []


async def test_I3_a_drain_gives_back_what_runs_without_counting_anything(
    settings: Settings, stub: StubHandler, connection: Any, alice: str
) -> None:
    async def work(context: JobContext) -> Outcome:
        context.log.append(context.lease, "delta", "so far")
        return await for_ever(context)

    stub.work = work
    async with engine_on(settings) as (engine, database):
        job_id = await post(engine, database, alice)
        await until(lambda: stub.started)
        await engine.drain()
        row = job_row(connection, job_id)
    assert (row["status"], row["attempt"], row["failures"], row["crashes"]) == ("queued", 1, 0, 0)
    assert text_of(connection, job_id) == "so far"


@pytest.mark.parametrize("yields", [0, 1, 2, 3, 5, 8, 13, 21])
async def test_I3_a_drain_at_any_moment_leaves_nothing_running(
    settings: Settings, stub: StubHandler, connection: Any, alice: str, yields: int
) -> None:
    """Also what is being claimed at that moment."""
    stub.work = for_ever
    async with engine_on(settings) as (engine, database):
        for _ in range(5):
            await post(engine, database, alice)
        for _ in range(yields):
            await asyncio.sleep(0.0002)
        await asyncio.wait_for(engine.drain(), 3)
    rows = connection.execute("SELECT DISTINCT status, failures, crashes FROM jobs").fetchall()
    assert rows == [("queued", 0, 0)]


async def test_a_stop_waits_for_the_drain_that_a_signal_has_begun(
    settings: Settings, stub: StubHandler, connection: Any, alice: str
) -> None:
    stub.work = for_ever
    database = Database(settings.database)
    engine = Engine(settings, database, slots_of=lambda _queue: Slots(0), services=None)
    await engine.start()
    jobs = [await post(engine, database, alice) for _ in range(3)]
    await until(lambda: len(stub.started) == 3)
    draining = asyncio.create_task(engine.drain())
    await asyncio.sleep(0)
    await asyncio.wait_for(engine.stop(), 3)
    await asyncio.wait_for(draining, 1)
    assert {job_row(connection, job_id)["status"] for job_id in jobs} == {"queued"}
    await database.dispose()


async def test_what_is_enqueued_while_a_server_drains_is_left_to_the_next(
    settings: Settings, stub: StubHandler, alice: str
) -> None:
    async with engine_on(settings) as (engine, database):
        await engine.drain()
        job_id = await post(engine, database, alice)
    assert stub.started == []
    async with engine_on(settings) as (_, database):
        assert await ended(database, job_id) == "succeeded"


async def test_F31_of_two_processes_one_runs_a_job(settings: Settings, stub: StubHandler, alice: str) -> None:
    async with engine_on(settings) as (one, database), engine_on(settings) as (two, _):
        jobs = [await post(engine, database, alice) for engine in (one, two) * 10]
        for job_id in jobs:
            await ended(database, job_id)
    assert sorted(context.lease.id for context in stub.started) == sorted(jobs)


async def _hold_for(database: Database, seconds: float) -> None:
    """As another program that writes."""
    other = database.connect(write=True)
    other.execute("BEGIN IMMEDIATE")
    await asyncio.sleep(seconds)
    other.execute("ROLLBACK")
    other.close()


@pytest.mark.sqlite
async def test_F19_a_cancel_that_finds_the_database_locked_tries_again_then_says_so(
    settings: Settings, stub: StubHandler, connection: Any, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.work = for_ever
    async with engine_on(settings) as (engine, database):
        job_id = await post(engine, database, alice)
        await until(lambda: stub.started)
        await engine.log.run(lambda c: c.execute("PRAGMA busy_timeout = 50"))
        holding = asyncio.create_task(_hold_for(database, 0.6))
        await asyncio.sleep(0.05)
        with pytest.raises(AppError) as refused:
            await engine.cancel(job_id)
        assert (refused.value.kind, refused.value.code) == ("unavailable", "database_unavailable")
        await holding
        monkeypatch.setattr(engine_module, "AGAIN_SECONDS", 1.0)
        holding = asyncio.create_task(_hold_for(database, 0.1))
        await asyncio.sleep(0.02)
        await engine.cancel(job_id)
        await holding
        await ended(database, job_id)
    assert job_row(connection, job_id)["status"] == "cancelled"

"""A process's engine with handlers of the tests' own: limits, stops, failures."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

import pytest

from app.clock import utcnow
from app.errors import AppError, ErrorKind
from app.jobs import event_log, maintenance, runner
from app.jobs.control import cancel_now
from app.jobs.event_log import EventLog
from app.jobs.lease import Claimed, End
from app.jobs.registry import JobContext, Outcome, Retry
from app.jobs.runner import run_job
from app.jobs.states import JobStatus
from app.jobs.worker import MOST_PATIENT
from app.settings import Settings
from tests.jobs.engines import engine_on, post
from tests.jobs.rows import add_job, broken_invariants, claimed, job_row, text_of
from tests.jobs.stub import StubHandler, for_ever
from tests.jobs.waiting import ended, until


@pytest.fixture(autouse=True)
def _promises_hold(connection: Any) -> Any:
    yield
    assert broken_invariants(connection) == []


async def fail(_: JobContext) -> Outcome:
    raise ZeroDivisionError


async def test_a_job_is_run_and_ended(settings: Settings, stub: StubHandler, alice: str) -> None:
    async with engine_on(settings) as (engine, database):
        assert await ended(database, await post(engine, database, alice)) == "succeeded"
        await until(lambda: engine.worker.running == 0)
        assert list(engine.log.leases) == []


async def test_no_more_than_the_slots_run_at_once(settings: Settings, stub: StubHandler, alice: str) -> None:
    gate = asyncio.Event()

    async def work(_: JobContext) -> Outcome:
        await gate.wait()
        return End(JobStatus.succeeded)

    stub.work = work
    async with engine_on(settings, slots=2) as (engine, database):
        jobs = [await post(engine, database, alice) for _ in range(6)]
        await until(lambda: len(stub.started) == 2)
        await engine.worker._claim_some()
        assert engine.worker.running == len(stub.started) == 2
        gate.set()
        for job_id in jobs:
            await ended(database, job_id)


async def test_titles_leave_a_slot_free(settings: Settings, stub: StubHandler, alice: str) -> None:
    gate = asyncio.Event()

    async def work(context: JobContext) -> Outcome:
        await gate.wait()
        return End(JobStatus.succeeded)

    stub.work = work
    async with engine_on(settings, slots=3) as (engine, database):
        jobs = [await post(engine, database, alice), await post(engine, database, alice, priority=1)]
        await until(lambda: len(stub.started) == 2)
        title = await post(engine, database, alice, priority=1)
        jobs.append(await post(engine, database, alice))
        await until(lambda: len(stub.started) == 3)
        assert {context.lease.id for context in stub.started} == {*jobs}
        gate.set()
        await ended(database, title)


async def test_without_a_limit_few_titles_run_beside_the_answers(
    settings: Settings, stub: StubHandler, alice: str
) -> None:
    gate = asyncio.Event()

    async def work(context: JobContext) -> Outcome:
        await gate.wait()
        return End(JobStatus.succeeded)

    stub.work = work
    unlimited = settings.model_copy(update={"max_running_per_user": 0})
    async with engine_on(unlimited, slots=0) as (engine, database):
        titles = [await post(engine, database, alice, priority=1) for _ in range(MOST_PATIENT + 3)]
        answer = await post(engine, database, alice)
        await until(lambda: len(stub.started) == MOST_PATIENT + 1)
        await asyncio.sleep(0.1)
        assert {context.lease.id for context in stub.started} == {*titles[:MOST_PATIENT], answer}
        gate.set()
        for title in titles:
            await ended(database, title)


async def test_where_one_is_answered_at_once_titles_wait_until_the_queue_is_idle(
    settings: Settings, stub: StubHandler, alice: str
) -> None:
    gate = asyncio.Event()

    async def work(context: JobContext) -> Outcome:
        await gate.wait()
        return End(JobStatus.succeeded)

    stub.work = work
    async with engine_on(settings, slots=1) as (engine, database):
        first = await post(engine, database, alice)
        title = await post(engine, database, alice, priority=1)
        second = await post(engine, database, alice)
        await until(lambda: len(stub.started) == 1)
        gate.set()
        await ended(database, title)
        assert [context.lease.id for context in stub.started] == [first, second, title]


async def test_an_unexpected_error_ends_the_job_and_says_nothing_of_it(
    settings: Settings, stub: StubHandler, connection: Any, alice: str
) -> None:
    stub.work = fail
    async with engine_on(settings) as (engine, database):
        job_id = await post(engine, database, alice)
        assert await ended(database, job_id) == "failed"
    error = job_row(connection, job_id)["error"]
    assert '"internal"' in error
    assert "ZeroDivision" not in error
    assert [status for _, status, _ in stub.abandonments] == [JobStatus.failed]


async def test_a_kind_that_nobody_knows_ends_too(settings: Settings, connection: Any, alice: str) -> None:
    async with engine_on(settings) as (engine, database):
        job_id = await post(engine, database, alice, kind="of a newer version")
        assert await ended(database, job_id) == "failed"
        await until(lambda: not engine.log.leases)
    assert '"unknown_kind"' in job_row(connection, job_id)["error"]


async def test_a_database_that_is_busy_is_no_fault_of_the_job(
    settings: Settings, stub: StubHandler, connection: Any, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "LATER", timedelta(milliseconds=20))

    async def work(context: JobContext) -> Outcome:
        if context.lease.attempt < 3:
            raise AppError(ErrorKind.unavailable, "database_unavailable", "The database is busy.")
        return End(JobStatus.succeeded)

    stub.work = work
    async with engine_on(settings) as (engine, database):
        job_id = await post(engine, database, alice)
        assert await ended(database, job_id) == "succeeded"
    assert job_row(connection, job_id)["failures"] == 0


async def test_a_retry_waits_for_its_time_and_keeps_count(
    settings: Settings, stub: StubHandler, connection: Any, alice: str
) -> None:
    since = utcnow()

    async def work(context: JobContext) -> Outcome:
        if context.lease.attempt == 1:
            return Retry(utcnow() + timedelta(milliseconds=100), 1, since, {"code": "busy"})
        assert context.lease.job.failures == 1
        return End(JobStatus.succeeded)

    stub.work = work
    async with engine_on(settings) as (engine, database):
        job_id = await post(engine, database, alice)
        assert await ended(database, job_id) == "succeeded"
    assert job_row(connection, job_id)["attempt"] == 2


@pytest.mark.parametrize("moment", ["while it runs", "while it is given back", "while it waits"])
async def test_a_cancel_wins_over_a_retry(
    settings: Settings, stub: StubHandler, connection: Any, alice: str, moment: str
) -> None:
    """The retry is due in a minute; the cancel must not wait for it."""

    async def work(context: JobContext) -> Outcome:
        if moment == "while it runs":
            await for_ever(context)
        if moment == "while it is given back":
            cancel_now(connection, context.lease.id)
        return Retry(utcnow() + timedelta(seconds=60), 1, utcnow(), {"code": "busy"})

    stub.work = work
    async with engine_on(settings) as (engine, database):
        job_id = await post(engine, database, alice)
        if moment == "while it runs":
            await until(lambda: stub.started)
        if moment == "while it waits":
            await until(lambda: job_row(connection, job_id)["failures"] == 1)
        if moment != "while it is given back":
            await engine.cancel(job_id)
        assert await ended(database, job_id, 3) == "cancelled"


async def test_a_time_limit_stops_a_run(settings: Settings, stub: StubHandler, alice: str) -> None:
    stub.work, stub.time_limit = for_ever, 0.05
    async with engine_on(settings) as (engine, database):
        assert await ended(database, await post(engine, database, alice)) == "succeeded"
    assert stub.interruptions == ["time_limit"]


@pytest.mark.sqlite
async def test_F19_what_stopped_itself_while_the_database_was_locked_is_resumed(
    settings: Settings, stub: StubHandler, connection: Any, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "SELF_STOP_SECONDS", 0.3)
    monkeypatch.setattr(event_log, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(maintenance, "SCAN_SECONDS", 0.1)

    async def work(context: JobContext) -> Outcome:
        context.log.append(context.lease, "delta", f"attempt {context.lease.attempt} ")
        await context.log.flush(context.lease)
        return await for_ever(context) if context.lease.attempt == 1 else End(JobStatus.succeeded)

    stub.work = work
    async with engine_on(settings) as (engine, database):
        await engine.log.run(lambda on: on.execute("SELECT 1"))
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(engine.log._thread, engine.log._connection.execute, "PRAGMA busy_timeout=50")
        job_id = await post(engine, database, alice)
        await until(lambda: text_of(connection, job_id))
        connection.execute("BEGIN EXCLUSIVE")
        await until(lambda: engine.worker.running == 0)
        connection.execute("ROLLBACK")
        assert await ended(database, job_id) == "succeeded"
    row = job_row(connection, job_id)
    assert (row["attempt"], row["crashes"]) == (2, 0)
    assert text_of(connection, job_id) == "attempt 1 attempt 2 "


@pytest.mark.parametrize("yields", range(4))
async def test_a_stop_at_any_moment_of_the_start_is_heard(
    log: EventLog, stub: StubHandler, connection: Any, alice: str, yields: int
) -> None:
    """A task that is cancelled before its first step never runs: its lease must not be renewed for ever."""
    stub.work = for_ever
    job_id = add_job(connection, alice)
    lease = log.adopt(claimed(connection))
    task = asyncio.create_task(run_job(JobContext(lease, log, None)))
    for _ in range(yields):
        await asyncio.sleep(0)
    lease.stop(event_log.DRAIN)
    await asyncio.wait_for(task, 2)
    assert list(log.leases) == []
    assert job_row(connection, job_id)["status"] == "queued"


async def test_a_database_that_takes_neither_end_nor_return_leaves_the_job_to_maintenance(
    log: EventLog, stub: StubHandler, connection: Any, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(_: JobContext) -> Outcome:
        return Retry(utcnow(), 1, utcnow(), {"code": "busy"})

    async def locked(_: Any) -> None:
        raise OSError("database is locked")

    stub.work = work
    add_job(connection, alice)
    job: Claimed = claimed(connection)
    lease = log.adopt(job)
    flushed = asyncio.Event()
    flush = log.flush

    async def flush_then_lock(_: Any) -> bool:
        result = await flush(lease)
        monkeypatch.setattr(log, "run", locked)
        flushed.set()
        return result

    monkeypatch.setattr(log, "flush", flush_then_lock)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(run_job(JobContext(lease, log, None)), 2)
    monkeypatch.undo()
    assert flushed.is_set()
    assert list(log.leases) == []
    assert job_row(connection, job.id)["status"] == "running"

"""The database that does not take a commit: full, or locked by somebody else."""

import asyncio
import logging
from typing import Any

import pytest
from pysqlite3 import OperationalError

from app.jobs import event_log
from app.jobs.event_log import EventLog, Lease
from app.jobs.lease import End
from app.jobs.notify import Hub
from app.jobs.states import JobStatus
from tests.jobs.rows import add_job, broken_invariants, claimed, job_row, text_of
from tests.jobs.waiting import until

pytestmark = pytest.mark.sqlite


@pytest.fixture
def leased(log: EventLog, connection: Any, alice: str) -> Lease:
    add_job(connection, alice)
    return log.adopt(claimed(connection))


async def set_pages(log: EventLog, more: int) -> None:
    """As if the disk had room for so many pages more."""

    def limit(connection: Any) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages + more}")

    await log.run(limit)


async def set_patience(log: EventLog, milliseconds: int) -> None:
    """SQLite's own five seconds would make long tests."""
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(log._thread, log._connection.execute, f"PRAGMA busy_timeout={milliseconds}")


async def test_F17_a_full_disk_pauses_the_log_and_it_goes_on_when_there_is_room(
    log: EventLog, hub: Hub, connection: Any, leased: Lease, caplog: pytest.LogCaptureFixture
) -> None:
    log.append(leased, "delta", "before ")
    assert await log.flush(leased)
    await set_pages(log, 1)
    with hub.watch(leased.id) as viewer:
        log.append(leased, "delta", "x" * 50_000)
        waiting = asyncio.create_task(log.flush(leased))
        with caplog.at_level(logging.ERROR, "app.jobs.event_log"):
            await until(lambda: any("does not take" in record.message for record in caplog.records))
        log.append(leased, "delta", " after")
        assert not waiting.done()
        assert viewer.take() == []  # I4: what is not durable is not visible
        assert text_of(connection, leased.id) == "before "
        await set_pages(log, 10_000)
        assert await waiting
        assert [event.event for event in viewer.take()] == ["delta"]
    assert await log.finish(leased, End(JobStatus.succeeded))
    assert text_of(connection, leased.id) == "before " + "x" * 50_000 + " after"
    assert broken_invariants(connection) == []


async def test_F19_locked_for_a_moment_is_slower_only(log: EventLog, connection: Any, leased: Lease) -> None:
    connection.execute("BEGIN EXCLUSIVE")
    log.append(leased, "delta", "patience")
    waiting = asyncio.create_task(log.flush(leased))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    connection.execute("ROLLBACK")
    assert await waiting
    assert leased.stop_reason is None
    assert text_of(connection, leased.id) == "patience"


async def test_F19_locked_for_longer_than_the_margin_stops_the_runner_itself(
    log: EventLog, connection: Any, leased: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "SELF_STOP_SECONDS", 0.3)
    monkeypatch.setattr(event_log, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(event_log, "RETRY_SECONDS", 0.02)
    await set_patience(log, 50)
    leased.task = asyncio.create_task(asyncio.sleep(60))
    connection.execute("BEGIN EXCLUSIVE")
    log.append(leased, "delta", "never written")
    assert not await asyncio.wait_for(log.flush(leased), 5)
    assert leased.stop_reason == event_log.LOST
    assert list(log.leases) == []
    connection.execute("ROLLBACK")
    with pytest.raises(asyncio.CancelledError):
        await leased.task
    assert await log.run(lambda on: on.execute("SELECT count(*) FROM jobs").fetchone()) == (1,)  # and it goes on
    assert text_of(connection, leased.id) == ""
    assert job_row(connection, leased.id)["status"] == "running"  # for maintenance


async def test_F19_the_order_of_text_survives_commits_that_had_to_be_repeated(
    log: EventLog, connection: Any, leased: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "RETRY_SECONDS", 0.01)
    await set_patience(log, 1)
    words = [f"{number} " for number in range(200)]
    for number, word in enumerate(words):
        if number % 40 == 10:
            connection.execute("BEGIN IMMEDIATE")
        if number % 40 == 30:
            connection.execute("ROLLBACK")
        log.append(leased, "delta", word)
        await asyncio.sleep(0.001)
    assert await log.finish(leased, End(JobStatus.succeeded))
    assert text_of(connection, leased.id) == "".join(words)
    assert broken_invariants(connection) == []


async def test_F18_trouble_that_lasts_is_told_once_a_minute(
    log: EventLog, connection: Any, leased: Lease, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(event_log, "RETRY_SECONDS", 0.001)
    await set_pages(log, 0)
    attempts: list[int] = []
    run = log.run

    async def counted(step: Any) -> Any:
        attempts.append(1)
        return await run(step)

    monkeypatch.setattr(log, "run", counted)
    with caplog.at_level(logging.ERROR, "app.jobs.event_log"):
        log.append(leased, "delta", "x" * 50_000)
        await until(lambda: len(attempts) > 10)
    assert len([record for record in caplog.records if "does not take" in record.message]) == 1
    monkeypatch.undo()
    await set_pages(log, 10_000)
    assert await log.flush(leased)


async def test_a_locked_database_beside_a_bad_effect_is_not_held_against_the_good_ones(
    log: EventLog, connection: Any, leased: Lease, alice: str
) -> None:
    """The group commit fails by one job's fault, and then the others find the database locked."""
    await set_patience(log, 1)
    add_job(connection, alice)
    bad = log.adopt(claimed(connection))

    def fail(_: Any) -> None:
        raise ValueError("an effect that cannot be")

    original, calls = log.run, list[int]()

    async def locked_at_the_second(step: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise OperationalError("database is locked")
        return await original(step)

    log.run = locked_at_the_second  # type: ignore[method-assign]
    log.append(leased, "delta", "good")
    flushed, finished = await asyncio.gather(
        log.flush(leased), log.finish(bad, End(JobStatus.succeeded, effects=[fail]))
    )
    assert (flushed, finished) == (True, False)
    assert text_of(connection, leased.id) == "good"
    assert log.unwritable == {bad.id}

"""Something that holds up the event loop is named and counted, and costs no lease. (A57)"""

import asyncio
import logging
import threading
import time
from typing import Any

import pytest

from app.jobs import event_log
from app.jobs.lease import End
from app.jobs.registry import JobContext, Outcome
from app.jobs.states import JobStatus
from app.observability import metrics
from app.observability.loop_watch import LoopWatch
from app.settings import Settings
from tests.databases import plain_connection
from tests.jobs.engines import engine_on, post
from tests.jobs.stub import StubHandler
from tests.jobs.waiting import ended, until


def hold_the_loop_up(seconds: float) -> None:
    time.sleep(seconds)


async def test_what_holds_it_up_is_named_once_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    values, at = metrics.LOOP_HELD_UP.at(())
    late: list[float] = []
    watch, before = LoopWatch(late.append), values[at]
    watch.start()
    try:
        await asyncio.sleep(0.3)
        with caplog.at_level(logging.WARNING):
            hold_the_loop_up(1.6)
            await asyncio.sleep(0.6)
        told = [record.getMessage() for record in caplog.records if "held up" in record.getMessage()]
        assert len(told) == 1 and "hold_the_loop_up" in told[0]
        assert values[at] > before  # other loops of this process may be late, too
        assert len(late) > 1 and late == sorted(late) and late[0] >= 0.5
    finally:
        await watch.stop()
    assert not watch._thread.is_alive()


async def test_a_loop_that_is_only_busy_is_not_told_of(caplog: pytest.LogCaptureFixture) -> None:
    watch = LoopWatch()
    watch.start()
    for _ in range(8):
        hold_the_loop_up(0.1)
        await asyncio.sleep(0)
    await watch.stop()
    assert not [record for record in caplog.records if "held up" in record.getMessage()]


@pytest.mark.both_databases
async def test_no_lease_is_lost_while_something_holds_it_up(
    settings: Settings, stub: StubHandler, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others look at the beat: it goes on."""
    monkeypatch.setattr(event_log, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(event_log, "SELF_STOP_SECONDS", 1.0)
    gate = asyncio.Event()

    async def work(_: JobContext) -> Outcome:
        await gate.wait()
        return End(JobStatus.succeeded)

    stub.work = work
    async with engine_on(settings) as (engine, database):
        job_id = await post(engine, database, alice)
        await until(lambda: len(stub.started) == 1)
        beats: list[int] = []
        over = threading.Event()

        def look() -> None:
            connection: Any = plain_connection(settings)
            while not over.wait(0.1):
                beats.append(connection.execute("SELECT beat FROM jobs WHERE id = ?", (job_id,)).fetchone()[0])
            connection.close()

        thread = threading.Thread(target=look)
        thread.start()
        hold_the_loop_up(2.5)
        over.set()
        thread.join()
        assert len(set(beats[-15:])) > 3, beats
        await asyncio.sleep(0.3)
        assert [lease.id for lease in engine.log.leases] == [job_id], "nor did it stop itself"
        gate.set()
        assert await ended(database, job_id) == "succeeded"

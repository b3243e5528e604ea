"""Two processes' engines on one file: what one writes reaches the other's viewers."""

import asyncio
import time
from typing import Any

import orjson
import pytest

from app.db.session import Database
from app.jobs import tailer as tailer_module
from app.jobs.control import cancel_now
from app.jobs.lease import End, StoredEvent
from app.jobs.notify import Bell, Hub
from app.jobs.queue import enqueue
from app.jobs.registry import JobContext, Outcome
from app.jobs.states import JobStatus
from app.jobs.tailer import Tailer
from app.settings import Settings
from tests.jobs.engines import Viewer, engine_on, post
from tests.jobs.rows import add_job, log_of, transaction
from tests.jobs.stub import StubHandler
from tests.jobs.waiting import until


async def write_slowly(context: JobContext) -> Outcome:
    for number in range(50):
        context.log.append(context.lease, "delta", f"{number} ")
        await asyncio.sleep(0.002)
    return End(JobStatus.succeeded)


def in_order(events: list[StoredEvent]) -> list[StoredEvent]:
    """After event 1, as a viewer takes them: what comes again is left out, what is missing ends it."""
    taken: list[StoredEvent] = []
    for event in events:
        if event.seq == len(taken) + 2:
            taken.append(event)
    return taken


async def test_I5_events_of_one_process_reach_the_others_viewers_without_gap_or_repeat(
    settings: Settings, stub: StubHandler, connection: Any, alice: str
) -> None:
    stub.work = write_slowly
    async with engine_on(settings) as (writer, database), engine_on(settings, claims=False) as (watcher, _):
        writer._neighbours.look_around()
        watcher._neighbours.look_around()
        async with database.transaction() as session:
            job, _place = await enqueue(session, kind="stub", user_id=alice, queue="ollama")
        with watcher.hub.watch(job.id) as far, writer.hub.watch(job.id) as near:
            writer.wake()
            there, here = Viewer(far), Viewer(near)
            await asyncio.gather(there.done(), here.done())
    whole = [StoredEvent(seq, event, orjson.dumps(data).decode()) for seq, _, event, data in log_of(connection, job.id)]
    assert len(whole) > 5
    assert in_order(there.events) == in_order(here.events) == whole[1:]


async def latency(settings: Settings, alice: str) -> float:
    """Seconds from an event's commit in one process to its being seen in the other."""
    async with (
        engine_on(settings, claims=False) as (writer, database),
        engine_on(settings, claims=False) as (watcher, _),
    ):
        writer._neighbours.look_around()
        job_id = await post(writer, database, alice)
        await asyncio.sleep(0.05)
        with watcher.hub.watch(job_id) as subscription:
            viewer = Viewer(subscription)
            await writer.cancel(job_id)
            began = time.monotonic()
            await viewer.done(5)
            return time.monotonic() - began


async def test_the_bell_brings_an_event_at_once(settings: Settings, stub: StubHandler, alice: str) -> None:
    assert await latency(settings, alice) < 0.5


@pytest.mark.sqlite
async def test_a_lost_ring_costs_a_second_never_an_event(
    settings: Settings, stub: StubHandler, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bell, "ring", lambda self, kind: None)
    assert await latency(settings, alice) < 2.0


@pytest.mark.sqlite
async def test_a_viewer_who_comes_while_the_tailer_reads_misses_nothing(
    hub: Hub, database: Database, connection: Any, stub: StubHandler, alice: str
) -> None:
    """The tailer saw nobody watch, and skips; a viewer has meanwhile opened the log as it was before."""
    job_id = add_job(connection, alice)
    tailer = Tailer(database, hub)
    await tailer.start()
    read = tailer._read
    entered: list[Any] = []

    def late(seen: int, rung: bool, watching: bool, ahead: Any) -> Any:
        if not entered and rung:
            entered.append(hub.watch(job_id))
            entered.append(entered[0].__enter__())
            with transaction(connection):
                cancel_now(connection, job_id)
        return read(seen, rung, watching, ahead)

    tailer._read = late  # type: ignore[method-assign]
    tailer.ring()
    await until(lambda: len(entered) == 2)
    await Viewer(entered[1]).done(3)
    entered[0].__exit__(None, None, None)
    await tailer.stop()


@pytest.mark.sqlite
async def test_alone_a_process_reads_no_rows_of_its_own(
    settings: Settings, stub: StubHandler, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.work = write_slowly
    rows: list[int] = []
    read = Tailer._read

    def counted(self: Tailer, *arguments: Any) -> tuple[int, list[Any]]:
        last, found = read(self, *arguments)
        rows.append(len(found))
        return last, found

    monkeypatch.setattr(Tailer, "_read", counted)
    async with engine_on(settings) as (engine, database):
        job_id = await post(engine, database, alice)
        with engine.hub.watch(job_id) as subscription:
            await Viewer(subscription).done()
    assert sum(rows) <= 4  # what enqueue wrote, by a session of its own


@pytest.mark.sqlite
async def test_a_tailer_that_cannot_read_tries_again(
    settings: Settings, stub: StubHandler, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tailer_module, "SAFETY_NET_SECONDS", 0.02)
    read, failures = Tailer._read, list[int]()

    def fails_twice(self: Tailer, *arguments: Any) -> Any:
        if len(failures) < 2:
            failures.append(1)
            raise OSError("a disk that is away")
        return read(self, *arguments)

    monkeypatch.setattr(Tailer, "_read", fails_twice)
    await latency(settings, alice)
    assert len(failures) == 2

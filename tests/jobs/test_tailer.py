"""Two processes' engines on one file: what one writes reaches the other's viewers."""

import asyncio
import threading
import time
from typing import Any

import orjson
import pytest

from app.db.session import Database
from app.jobs import neighbours
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


def last_of(connection: Any, job_id: str) -> int:
    """The last number of a job that has ended; before, one that nobody reaches."""
    row = connection.execute(
        "SELECT CASE WHEN finished_at IS NULL THEN 1000000 ELSE last_event_id END FROM jobs WHERE id = ?", (job_id,)
    ).fetchone()
    return int(row[0])


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
async def test_the_bell_brings_what_was_committed_nobody_has_to_read_it(
    settings: Settings, stub: StubHandler, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.work = write_slowly
    read, seen_all = Tailer._read, threading.Event()

    def late(self: Tailer, *arguments: Any) -> Any:
        seen_all.wait(20)
        return read(self, *arguments)

    monkeypatch.setattr(Tailer, "_read", late)
    async with engine_on(settings) as (writer, database), engine_on(settings, claims=False) as (watcher, _):
        writer._neighbours.look_around()
        job_id = await post(writer, database, alice)
        with watcher.hub.watch(job_id) as subscription:
            try:
                seen = await Viewer(subscription).done()
            finally:
                seen_all.set()
    assert [event.seq for event in seen] == list(range(seen[0].seq, seen[-1].seq + 1))
    assert sum(event.event == "delta" for event in seen) > 5


@pytest.mark.sqlite
@pytest.mark.parametrize("how", ["every second ring is lost", "a commit is too large for a ring"])
async def test_I5_what_the_bell_does_not_bring_is_read(
    how: str,
    settings: Settings,
    stub: StubHandler,
    connection: Any,
    alice: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stub.work = write_slowly
    ring, rings = Bell.ring, list[bytes]()

    def lossy(self: Bell, message: bytes) -> bool:
        rings.append(message)
        return len(rings) % 2 == 0 or ring(self, message)

    if how.startswith("every"):
        monkeypatch.setattr(Bell, "ring", lossy)
    else:
        monkeypatch.setattr(neighbours, "MAX_RING_BYTES", 200)
    async with engine_on(settings) as (writer, database), engine_on(settings, claims=False) as (watcher, _):
        writer._neighbours.look_around()
        async with database.transaction() as session:
            job, _place = await enqueue(session, kind="stub", user_id=alice, queue="ollama")
        with watcher.hub.watch(job.id) as subscription:
            writer.wake()
            viewer = Viewer(subscription)
            await until(lambda: {e.seq for e in viewer.look()} >= set(range(2, last_of(connection, job.id) + 1)), 10)
    assert any(event.event == "done" for event in viewer.events)
    logged = {seq: orjson.dumps(data).decode() for seq, _, _, data in log_of(connection, job.id)}
    assert all(event.data == logged[event.seq] for event in viewer.events)


async def test_rings_may_come_in_another_order_than_commits(hub: Hub, database: Database) -> None:
    """Viewers get each at once, by its job's own number; the hole between them is minded, then filled."""
    tailer = Tailer(database, hub)
    with hub.watch("a") as first, hub.watch("b") as second:
        tailer.brought(3, 4, [("b", StoredEvent(1, "delta", "1")), ("b", StoredEvent(2, "delta", "2"))])
        assert [event.seq for event in second.take()] == [1, 2]
        assert tailer._seen == 0
        tailer.brought(1, 2, [("a", StoredEvent(1, "delta", "1")), ("a", StoredEvent(2, "delta", "2"))])
        assert [event.seq for event in first.take()] == [1, 2]
        assert tailer._seen == 4
        tailer._close_gap()
        assert not tailer._rung.is_set()
        tailer.brought(6, 6, [("a", StoredEvent(3, "delta", "3"))])
        tailer._close_gap()
        assert tailer._rung.is_set()
        tailer._rung.clear()
        tailer.brought(9, 9, [("a", StoredEvent(4, "delta", "4"))])  # meanwhile the first hole is being read
        tailer._seen = 6
        tailer._catch_up_with_ahead()
        await until(tailer._rung.is_set)


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

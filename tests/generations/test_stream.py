"""One viewer of one job: from any position, at any time, to the end."""

import asyncio
import random
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.accounts.principal import Principal
from app.errors import AppError, ErrorKind
from app.generations import stream as module
from app.jobs import maintenance, places
from app.jobs.frames import RECONNECT, Frame
from app.jobs.lease import StoredEvent
from app.jobs.notify import MAX_WAITING_BYTES
from tests.generations.asking import MakeSettings, Talk, new_talk, words
from tests.generations.watching import frames_from, op_of, restless, stream_of, text_of
from tests.jobs.history import Op, check
from tests.jobs.waiting import ended, until
from tests.model_server import ModelServer
from tests.process import running

SLOW = "hello [[tokens=60 rate=300]]"
ENDLESS = "on and on [[tokens=endless rate=100]]"


async def fold(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "utcnow", lambda: datetime.now(UTC) + timedelta(minutes=2))
    await talk.process.engine._maintenance.scan()
    monkeypatch.undo()


async def test_I5_from_every_position_of_a_finished_job(talk: Talk, quick_retries: None) -> None:
    sent = await talk.send("hello [[tokens=40 rate=400 fault=cut_after:20 times=1]]")
    answer = await talk.ended(sent)
    log = await talk.events(sent.job.id)
    last = log[-1][0]
    assert last > 8
    for position in range(last + 1):
        frames = await frames_from(talk, sent.job.id, position)
        history = [Op("v", "invoke", position), *(op_of("v", frame) for frame in frames), Op("v", "ok")]
        assert check(history, log, answer.content) == []
        expected = range(position + 1, last + 1) if position < last else [last]
        assert [frame.id for frame in frames] == list(expected)


async def test_I5_from_every_position_of_a_folded_job(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = await talk.send(SLOW)
    answer = await talk.ended(sent)
    log = await talk.events(sent.job.id)
    await fold(talk, monkeypatch)
    assert await talk.events(sent.job.id) == []
    for position in [*range(log[-1][0] + 1), 10_000]:
        frames = await frames_from(talk, sent.job.id, position)
        assert [f.event for f in frames] == (["snapshot", "done"] if position != log[-1][0] else ["done"])
        history = [Op("v", "invoke", position), *(op_of("v", frame) for frame in frames), Op("v", "ok")]
        assert check(history, log, answer.content) == []


async def test_I5_from_every_position_of_a_running_job(talk: Talk) -> None:
    sent = await talk.send(SLOW)
    await talk.writing(sent.job.id, 40)
    positions = range((await talk.events(sent.job.id))[-1][0] + 1)
    streams = await asyncio.gather(*(frames_from(talk, sent.job.id, position) for position in positions))
    log, answer = await talk.events(sent.job.id), await talk.ended(sent)
    assert len(positions) > 3
    for position, frames in zip(positions, streams, strict=True):
        assert text_of(log, position, frames) == answer.content == words(SLOW)
        assert [frame.id for frame in frames] == list(range(position + 1, log[-1][0] + 1))


async def test_a_position_past_the_end_of_a_running_job_gets_a_snapshot_and_follows(talk: Talk) -> None:
    sent = await talk.send(SLOW)
    await talk.writing(sent.job.id, 40)
    frames = await frames_from(talk, sent.job.id, 5000)
    assert frames[0].event == "snapshot"
    assert text_of([], 0, frames) == words(SLOW)
    ids = [frame.id for frame in frames if frame.id is not None]
    assert ids == list(range(ids[0], ids[-1] + 1))


async def test_I5_twenty_viewers_that_leave_and_return_all_end_with_the_same_text(
    talk: Talk, quick_retries: None
) -> None:
    prompt = "hello [[tokens=150 rate=250 fault=cut_after:60 times=1]]"
    sent = await talk.send(prompt)
    history: list[Op] = []
    await asyncio.gather(*(restless(talk, f"viewer {n}", sent.job.id, random.Random(n), history) for n in range(20)))
    answer = await talk.ended(sent)
    assert answer.content == words(prompt)
    assert check(history, await talk.events(sent.job.id), answer.content) == []
    assert sum(op.kind == "info" for op in history) > 20  # they did leave
    assert len(talk.process.engine.hub) == 0


async def test_I5_viewers_see_a_restart_and_end_with_the_new_text(
    openai: MakeSettings, alice: Principal, server: ModelServer, quick_retries: None
) -> None:
    async with running(openai()) as process:
        talk = await new_talk(process, alice)
        prompt = "hello [[tokens=60 rate=300 fault=cut_after:30 times=1]]"
        sent = await talk.send(prompt)
        history: list[Op] = []
        await asyncio.gather(*(restless(talk, f"{n}", sent.job.id, random.Random(n), history) for n in range(5)))
        assert check(history, await talk.events(sent.job.id), words(prompt)) == []
        assert any(op.event == "restart" for op in history)


async def test_a_queued_viewer_is_told_its_place_and_its_start(
    make_settings: MakeSettings, alice: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POSITION_SECONDS", 0.05)
    monkeypatch.setattr(places, "FRESH_SECONDS", 0.05)
    async with running(make_settings(max_running_per_user=1)) as process:
        talks = [await new_talk(process, alice) for _ in range(3)]
        first, second = await talks[0].send(ENDLESS), await talks[1].send("short")
        await talks[0].running(first.job.id)
        third = await talks[2].send("hello")
        watching = asyncio.create_task(frames_from(talks[2], third.job.id))
        await until(lambda: len(process.engine.hub) == 1)
        await process.endings.cancel(alice, second.job.id)
        await asyncio.sleep(0.2)
        await process.endings.cancel(alice, first.job.id)
        frames = await asyncio.wait_for(watching, 5)
    told = [op_of("v", f).data["position"] for f in frames if f.event == "status" and f.id is None]
    assert told == [2, 1]
    assert [frame.id for frame in frames if frame.id is not None] == list(range(1, (frames[-1].id or 0) + 1))


async def test_who_waits_for_what_is_gone_is_told(
    make_settings: MakeSettings, alice: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deleted by another process, whose word of it did not come."""
    monkeypatch.setattr(module, "POSITION_SECONDS", 0.05)
    monkeypatch.setattr(places, "FRESH_SECONDS", 0.05)
    async with running(make_settings(max_running_per_user=1)) as process:
        first, second = [await new_talk(process, alice) for _ in range(2)]
        running_one = await first.send(ENDLESS)
        await first.running(running_one.job.id)
        waiting = await second.send("hello")
        visits = stream_of(process, alice.user_id, waiting.job.id).follow(0)
        await anext(visits)
        async with process.database.transaction() as session:
            await session.execute(text("DELETE FROM jobs WHERE id = :id"), {"id": waiting.job.id})
        with pytest.raises(AppError) as gone:
            await asyncio.wait_for(anext(visits), 5)
        assert gone.value.kind is ErrorKind.not_found
        await process.endings.cancel(alice, running_one.job.id)


async def test_F30_a_viewer_that_is_too_slow_is_told_to_come_back(talk: Talk) -> None:
    sent = await talk.send(ENDLESS)
    await talk.writing(sent.job.id)
    visits = stream_of(talk.process, talk.principal.user_id, sent.job.id).follow(0)
    first = await anext(visits)
    many = [StoredEvent(n, "delta", "x" * 1000) for n in range(1000, 1000 + MAX_WAITING_BYTES // 1000 + 1)]
    for event in many:
        talk.process.engine.hub.publish(sent.job.id, [event])
    assert await anext(visits) == [RECONNECT]
    with pytest.raises(StopAsyncIteration):
        await anext(visits)
    await talk.writing(sent.job.id, len(text_of([], 0, list(first))) + 20)
    resumed = stream_of(talk.process, talk.principal.user_id, sent.job.id).follow(first[-1].id or 0)
    assert (await anext(resumed))[0].id == (first[-1].id or 0) + 1
    await resumed.aclose()  # type: ignore[attr-defined]
    await talk.process.endings.cancel(talk.principal, sent.job.id)


async def test_a_stream_ends_when_it_is_no_longer_allowed(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RIGHT_CHECK_SECONDS", 0.05)
    allowed = [True]

    async def still_allowed() -> bool:
        return allowed[0]

    sent = await talk.send(ENDLESS)
    visits = stream_of(talk.process, talk.principal.user_id, sent.job.id, still_allowed).follow(0)
    for _ in range(10):
        await anext(visits)
    allowed[0] = False
    async with asyncio.timeout(2):
        rest = [frame async for batch in visits for frame in batch]
    assert "done" not in {frame.event for frame in rest}
    assert (await talk.job(sent.job.id)).status == "running"  # F29: the job goes on
    await talk.process.endings.cancel(talk.principal, sent.job.id)


@pytest.mark.parametrize("is_reading", [True, False])
async def test_a_drain_ends_a_stream_at_once_also_of_a_viewer_who_was_being_written_to(
    talk: Talk, is_reading: bool
) -> None:
    sent = await talk.send("hello [[fault=hang]]")
    await talk.running(sent.job.id)
    visits = stream_of(talk.process, talk.principal.user_id, sent.job.id).follow(0)
    await anext(visits)
    waiting = asyncio.ensure_future(anext(visits)) if is_reading else None
    await asyncio.sleep(0)
    talk.process.engine.hub.drain()
    began = time.monotonic()
    assert await (waiting or anext(visits)) == [RECONNECT]
    assert time.monotonic() - began < 3
    await visits.aclose()  # type: ignore[attr-defined]


async def test_a_quiet_stream_gives_signs_of_life(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PING_SECONDS", 0.05)
    monkeypatch.setattr(module, "RIGHT_CHECK_SECONDS", 0.02)
    sent = await talk.send("hello [[fault=hang_after:1]]")
    await talk.writing(sent.job.id)
    visits = stream_of(talk.process, talk.principal.user_id, sent.job.id).follow(3)
    assert [await anext(visits) for _ in range(3)] == [[], [], []]
    await visits.aclose()  # type: ignore[attr-defined]


async def test_a_stream_has_a_lifetime(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIFETIME_SECONDS", 0.1)
    sent = await talk.send(ENDLESS)
    frames = await asyncio.wait_for(frames_from(talk, sent.job.id), 2)
    assert frames[-1] == RECONNECT


async def test_a_strangers_stream_is_not_there(talk: Talk, bob: Principal) -> None:
    sent = await talk.send("hello")
    with pytest.raises(AppError) as refused:
        await anext(stream_of(talk.process, bob.user_id, sent.job.id).follow(0))
    assert refused.value.kind is ErrorKind.not_found
    assert len(talk.process.engine.hub) == 0


class TestWait:
    """The long poll."""

    async def test_it_gives_what_is_newer_as_soon_as_there_is_any(self, talk: Talk) -> None:
        sent = await talk.send(SLOW)
        position, seen = 0, list[Frame]()
        while not seen or seen[-1].event != "done":
            stream = stream_of(talk.process, talk.principal.user_id, sent.job.id)
            frames = await stream.wait(position, 5)
            assert frames
            seen += frames
            position = frames[-1].id or 0
        assert [frame.id for frame in seen] == list(range(1, len(seen) + 1))
        assert text_of([], 0, seen) == words(SLOW)

    async def test_without_a_position_it_holds_until_the_end(self, talk: Talk) -> None:
        sent = await talk.send(SLOW)
        await stream_of(talk.process, talk.principal.user_id, sent.job.id).wait(None, 5)
        assert (await talk.job(sent.job.id)).finished_at is not None

    async def test_a_queued_job_without_news_is_held_too(self, make_settings: MakeSettings, alice: Principal) -> None:
        """Else a waiting client would ask as fast as it can."""
        async with running(make_settings(max_running_per_user=1)) as process:
            talk, other = await new_talk(process, alice), await new_talk(process, alice)
            first = await talk.send(ENDLESS)
            await talk.running(first.job.id)
            sent = await other.send("hello")
            began = time.monotonic()
            assert await stream_of(process, alice.user_id, sent.job.id).wait(1, 0.3) == []
            assert time.monotonic() - began >= 0.29
            await process.endings.cancel_all(alice.user_id)
            await ended(process.database, first.job.id)

    async def test_it_ends_with_its_time_and_with_a_drain(self, talk: Talk) -> None:
        sent = await talk.send("hello [[fault=hang]]")
        await talk.running(sent.job.id)
        stream = stream_of(talk.process, talk.principal.user_id, sent.job.id)
        assert await stream.wait(2, 0.05) == []
        waiting = asyncio.create_task(stream.wait(2, 20))
        await until(lambda: len(talk.process.engine.hub) == 1)
        talk.process.engine.hub.drain()
        assert await asyncio.wait_for(waiting, 0.5) == []

"""Slow is not dead, busy is not idle: an Ollama that answers one at a time, loads for minutes, reads slowly."""

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest

from app.accounts.principal import Principal
from app.generations import standing, stream
from app.jobs import maintenance, places
from app.providers import http
from app.settings import Settings
from tests.factories.people import add_person
from tests.generations.asking import MakeSettings, Talk, error_of, new_talk
from tests.generations.watching import stream_of
from tests.jobs.waiting import until
from tests.model_server import ModelServer
from tests.model_server.scheduler import Scheduler
from tests.process import Process, running

SHORT = "[[tokens=10 rate=50]]"
SEEN = "[[tokens=8 rate=10]]"  # to be written, on a slow machine, too
ENDLESS = "[[tokens=endless rate=50]]"
QUEUE = "ollama/scripted:latest"


@pytest.fixture(autouse=True)
def scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Minutes become seconds: what a server may be silent for, how often it is looked at, what is shown when."""
    monkeypatch.setattr(http, "LIFE_SECONDS", 1.5)
    monkeypatch.setattr(http, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(maintenance, "SCAN_SECONDS", 0.2)
    monkeypatch.setattr(standing, "SHOWN_AFTER", 0.05)
    monkeypatch.setattr(standing, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(stream, "POSITION_SECONDS", 0.05)
    monkeypatch.setattr(places, "FRESH_SECONDS", 0.02)


@pytest.fixture
def process_settings(make_settings: MakeSettings) -> Settings:
    return make_settings(first_token_timeout=0, connect_timeout=1.0)


@pytest.fixture
async def carol(process: Process) -> Principal:
    return await add_person(process.database, "carol")


async def talks(process: Process, *people: Principal) -> list[Talk]:
    return [await new_talk(process, person) for person in people]


async def phases(talk: Talk, job_id: str) -> AsyncIterator[str]:
    """What a viewer is told, as long as the answer is followed."""
    last = ""
    async for frames in stream_of(talk.process, talk.principal.user_id, job_id).follow(0):
        for frame in frames:
            status = orjson.loads(frame.data) if frame.event == "status" else {}
            if "phase" in status and status["phase"] != last:
                assert (frame.id, status["status"], status["position"]) == (None, "running", None)
                yield (last := status["phase"])


async def learned(process: Process) -> int | None:
    row = await process.database.lookup.first("SELECT slots FROM queue_slots WHERE queue = :queue", {"queue": QUEUE})
    return int(row[0]) if row else None


async def test_of_five_questions_of_two_people_none_fails_and_the_newcomer_is_second(
    process: Process, server: ModelServer, alice: Principal, bob: Principal
) -> None:
    server.scheduler = Scheduler(parallel=1, load_seconds=2.0, read_seconds=20.0)
    asked = []
    for number, talk in enumerate(await talks(process, alice, alice, alice, alice, bob)):
        asked.append((talk, await talk.send(f"question {number} of {talk.principal.user_id} {SHORT}")))
    for talk, sent in asked:
        answer = await talk.ended(sent, 30)
        assert (answer.status, answer.error) == ("complete", None)
        assert (await talk.job(sent.job.id)).attempt == 1
    began = [prompt.split()[1] for prompt in server.scheduler.order]
    assert began == ["0", "4", "1", "2", "3"]
    assert server.scheduler.abandoned == 0
    assert len(server.chats) == 5
    assert await learned(process) in (None, 1)


async def test_who_comes_when_it_was_tried_already_stands_before_everybodys_second(
    process: Process, server: ModelServer, alice: Principal, bob: Principal, carol: Principal
) -> None:
    server.scheduler = Scheduler(parallel=1)
    people = await talks(process, alice, alice, bob, bob, carol)
    first = await people[0].send(f"question 0 {ENDLESS}")
    await people[0].writing(first.job.id)
    asked = [first, *[await talk.send(f"question {n} {SHORT}") for n, talk in enumerate(people) if n]]
    await process.endings.cancel(alice, first.job.id)  # now that all of them wait
    for talk, sent in zip(people, asked, strict=True):
        await talk.ended(sent)
    assert [prompt.split()[1] for prompt in server.scheduler.order] == ["0", "2", "4", "1", "3"]


async def test_a_server_that_writes_several_at_once_gets_several(
    process: Process, server: ModelServer, alice: Principal, bob: Principal, carol: Principal
) -> None:
    server.scheduler = Scheduler(parallel=3)
    first, second, third = await talks(process, alice, bob, carol)
    for talk, expected in ((first, None), (second, 2), (third, 3)):
        sent = await talk.send(ENDLESS)
        await talk.writing(sent.job.id)

        async def look(expected: int | None = expected) -> bool:
            return expected is None or await learned(process) == expected

        await until(look, 10)
    again = await (await new_talk(process, carol)).send(ENDLESS)
    await asyncio.sleep(0.5)
    assert (await first.job(again.job.id)).status == "queued"


async def test_models_do_not_wait_for_each_other(process: Process, server: ModelServer, alice: Principal) -> None:
    server.scheduler = Scheduler(parallel=1)
    one, other = await talks(process, alice, alice)
    await one.writing((await one.send(ENDLESS)).job.id)
    thinker = await other.send(ENDLESS, model="ollama/thinker:latest")
    assert thinker.position == 1
    await other.writing(thinker.job.id)


async def test_every_phase_is_told(process: Process, server: ModelServer, alice: Principal, bob: Principal) -> None:
    server.scheduler = Scheduler(parallel=1, load_seconds=0.6, read_seconds=10.0)
    one, other = await talks(process, alice, bob)
    sent = await one.send(f"{'word ' * 12} [[tokens=60 rate=50]]")
    told = phases(one, sent.job.id)
    assert [await anext(told) for _ in range(3)] == ["loading", "reading", "writing"]
    waits = await other.send(f"{'word ' * 12} {SEEN}")
    told = phases(other, waits.job.id)
    assert [await anext(told) for _ in range(3)] == ["waiting", "reading", "writing"]
    await other.ended(waits)
    assert (await other.job(waits.job.id)).phase is None


async def test_a_quick_answer_has_no_phases(
    process: Process, server: ModelServer, alice: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "SHOWN_AFTER", 0.5)
    server.scheduler = Scheduler(parallel=1)
    (talk,) = await talks(process, alice)
    sent = await talk.send(SHORT)
    assert [phase async for phase in phases(talk, sent.job.id)] == []


async def test_a_server_that_does_not_say_what_is_loaded_is_reading(
    process: Process, server: ModelServer, alice: Principal
) -> None:
    server.path_faults = {"/api/ps": "not_found", "/api/version": "not_found"}
    server.scheduler = Scheduler(read_seconds=50.0)
    (talk,) = await talks(process, alice)
    sent = await talk.send(f"{'word ' * 5} {SEEN}")
    assert [phase async for phase in phases(talk, sent.job.id)] == ["reading", "writing"]


async def test_a_server_that_breaks_off_again_and_again_is_asked_five_times(
    process: Process, server: ModelServer, alice: Principal, quick_retries: None
) -> None:
    (talk,) = await talks(process, alice)
    answer = await talk.ask("go on [[tokens=endless rate=500 fault=cut_after:4]]")
    assert (answer.status, error_of(answer)) == ("failed", "interrupted")
    assert answer.error is not None
    assert answer.error["retryable"]
    assert len(answer.content.split()) == 20
    assert len(server.chats) == 5


async def test_the_most_tokens_hold_over_all_attempts(
    process: Process, server: ModelServer, alice: Principal, quick_retries: None
) -> None:
    (talk,) = await talks(process, alice)
    answer = await talk.ask("go on [[tokens=endless rate=500 fault=cut_after:4 times=2]]", options={"max_tokens": 10})
    assert (answer.status, answer.finish_reason) == ("complete", "length")
    assert len(answer.content.split()) == 10
    assert [chat.json["options"]["num_predict"] for chat in server.chats] == [10, 6, 2]
    assert answer.usage is not None
    assert answer.usage["completion_tokens"] == 10


async def test_the_time_of_an_answer_holds_over_all_attempts(
    make_settings: MakeSettings, server: ModelServer, alice: Principal, quick_retries: None
) -> None:
    async with running(make_settings(answer_timeout=1.2)) as process:
        (talk,) = await talks(process, alice)
        answer = await talk.ask("go on [[tokens=endless rate=20 fault=cut_after:10 times=3]]")
    assert (answer.status, answer.finish_reason) == ("stopped", "limit")
    assert 2 <= len(server.chats) <= 3

"""Going on from the committed text, beginning anew, or not asking a second time."""

import time
from typing import Any

import pytest

from app.accounts.principal import Principal
from app.generations import loop
from app.jobs.control import list_jobs
from tests.generations.asking import Talk, accepted, error_of, new_talk, words
from tests.model_server import ModelServer, thinking_for
from tests.process import running

pytestmark = pytest.mark.usefixtures("quick_retries")


async def test_a_paid_server_is_not_asked_twice_once_it_began(
    openai: Any, alice: Principal, server: ModelServer
) -> None:
    async with running(openai(openai_paid="yes")) as process:
        talk = await new_talk(process, alice)
        prompt = "hello [[tokens=30 fault=cut_after:10]]"
        answer = await talk.ask(prompt)
        assert (answer.status, error_of(answer)) == ("failed", "interrupted")
        assert answer.content == words(prompt, 10)
        assert len(server.chats) == 1
        assert answer.error is not None
        assert answer.error["retryable"]
        async with process.database.read() as session:
            assert [job.kind for job in await list_jobs(session, alice.user_id)] == ["answer"]


async def test_a_paid_server_that_was_drained_is_not_asked_again(
    openai: Any, alice: Principal, server: ModelServer
) -> None:
    settings = openai(openai_paid="yes")
    async with running(settings) as process:
        talk = await new_talk(process, alice)
        sent = await talk.send("hello [[tokens=endless rate=100]]")
        await talk.writing(sent.job.id, 10)
        await process.engine.drain()
        text = await talk.text(sent.job.id)
    async with running(settings) as process:
        answer = await talk.elsewhere(process).ended(sent)
    assert (answer.status, error_of(answer), answer.content) == ("failed", "interrupted", text)
    assert len(server.chats) == 1


async def test_a_paid_server_that_is_busy_is_asked_again(openai: Any, alice: Principal, server: ModelServer) -> None:
    async with running(openai(openai_paid="yes")) as process:
        talk = await new_talk(process, alice)
        prompt = "hello [[fault=status:429:0 times=2]]"
        assert (await talk.ask(prompt)).content == words(prompt)
        assert error_of(await talk.ask("again [[fault=status:429:0]]")) == "busy"
    assert len(server.chats) == 3 + 3


async def test_what_cannot_go_on_restarts_and_keeps_the_old_text(
    openai: Any, alice: Principal, server: ModelServer
) -> None:
    async with running(openai()) as process:
        talk = await new_talk(process, alice)
        prompt = "hello [[tokens=30 fault=cut_after:10 times=1]]"
        sent = await talk.send(prompt)
        answer = await talk.ended(sent)
        assert answer.content == words(prompt)
        ((old),) = answer.superseded
        assert (old["content"], old["reason"]) == (words(prompt, 10), loop.CANNOT_GO_ON)
        assert await talk.kinds(sent.job.id) == ["status", "delta", "status", "restart", "delta", "usage", "done"]
    assert [chat.prefix for chat in server.chats] == ["", ""]


async def test_F12_what_begins_anew_and_is_cut_each_time_fails_in_the_end(
    openai: Any, alice: Principal, server: ModelServer
) -> None:
    """A proxy that cuts after a minute, say: more text each time is no progress."""
    async with running(openai()) as process:
        talk = await new_talk(process, alice)
        prompt = "hello [[tokens=30 fault=cut_after:10]]"
        answer = await talk.ask(prompt)
    assert (answer.status, error_of(answer), answer.content) == ("failed", "interrupted", words(prompt, 10))
    assert len(server.chats) == 3
    assert [old["content"] for old in answer.superseded] == [words(prompt, 10)] * 2


async def test_F12_our_limit_holds_over_all_attempts(
    talk: Talk, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "MAX_ANSWER_BYTES", 500)
    prompt = "hello [[tokens=endless fault=cut_after:20]]"
    answer = await talk.ask(prompt)
    assert (answer.status, answer.finish_reason) == ("stopped", "limit")
    assert 480 <= len(answer.content) <= 500
    assert len(server.chats) > 3
    again = await talk.ended(accepted(await talk.process.generations.continue_answer(talk.principal, answer.id)))
    assert 980 <= len(again.content) <= 1000  # who asks for more gets as much again


async def test_a_paid_server_that_is_silent_is_not_asked_again(
    openai: Any, alice: Principal, server: ModelServer
) -> None:
    """It may be billing for what has not come yet."""
    async with running(openai(openai_paid="yes", first_token_timeout=0.2, connect_timeout=0.2)) as process:
        answer = await (await new_talk(process, alice)).ask("hello [[fault=hang]]")
    assert (answer.status, error_of(answer)) == ("failed", "interrupted")
    assert len(server.chats) == 1


async def test_llama_cpp_by_the_same_wire_goes_on(openai: Any, alice: Principal, server: ModelServer) -> None:
    server.flavour = "llama.cpp"
    async with running(openai()) as process:
        talk = await new_talk(process, alice)
        prompt = "hello [[tokens=30 fault=cut_after:10 times=1]]"
        answer = await talk.ask(prompt)
        assert (answer.content, answer.superseded) == (words(prompt), [])
    assert server.chats[-1].prefix == words(prompt, 10)


async def test_a_model_whose_template_ends_the_answer_restarts_instead_of_gluing_two(
    talk: Talk, server: ModelServer
) -> None:
    server.template = "{{ range .Messages }}<|{{ .Role }}|>{{ .Content }}<|end|>{{ end }}<|assistant|>"
    server.closes = True
    prompt = "hello [[tokens=30 fault=cut_after:10 times=1]]"
    answer = await talk.ask(prompt)
    assert answer.content == words(prompt)
    ((old),) = answer.superseded
    assert (old["content"], old["reason"]) == (words(prompt, 10), loop.CANNOT_GO_ON)
    assert [chat.prefix for chat in server.chats] == ["", ""]
    stopped = await talk.ask("again [[tokens=20]]", options={"max_tokens": 5})
    again = await talk.ended(accepted(await talk.process.generations.continue_answer(talk.principal, stopped.id)))
    assert again.content == words("again [[tokens=20]]")
    assert [old["content"] for old in again.superseded] == [stopped.content]


async def test_going_on_keeps_the_messages_own_options(talk: Talk, server: ModelServer) -> None:
    sent = await talk.send("hello [[tokens=90 rate=30]]", options={"max_tokens": 40, "seed": 5})
    await talk.writing(sent.job.id)
    await talk.process.endings.cancel(talk.principal, sent.job.id)
    cut = await talk.ended(sent)
    again = await talk.ended(accepted(await talk.process.generations.continue_answer(talk.principal, cut.id)))
    assert (again.finish_reason, len(again.content.split())) == ("length", len(cut.content.split()) + 40)
    assert {chat.json["options"]["seed"] for chat in server.chats} == {5}
    more = await talk.ended(accepted(await talk.process.generations.continue_answer(talk.principal, cut.id)))
    assert (more.finish_reason, len(more.content.split())) == ("stop", 90), "its own limit has done its work"


async def test_with_nothing_but_thinking_it_begins_anew(talk: Talk, server: ModelServer) -> None:
    prompt = "hello [[think=20 tokens=10 fault=cut_after:10 times=1]]"
    sent = await talk.send(prompt, model="ollama/thinker:latest")
    answer = await talk.ended(sent)
    assert answer.content == words(prompt)
    assert len(answer.thinking.split()) == 20
    ((old),) = answer.superseded
    assert (old["content"], len(old["thinking"].split())) == ("", 10)
    assert "restart" in await talk.kinds(sent.job.id)


async def test_continuing_what_failed_goes_on_from_its_text(talk: Talk, server: ModelServer) -> None:
    prompt = "hello [[tokens=40 fault=malformed_after:15 times=1]]"
    failed = await talk.ask(prompt)
    assert (failed.status, failed.content) == ("failed", words(prompt, 15))
    going_on = accepted(await talk.process.generations.continue_answer(talk.principal, failed.id))
    began = time.monotonic()
    whole = await talk.ended(going_on)
    assert (whole.content, whole.status, whole.error) == (words(prompt), "complete", None)
    assert time.monotonic() - began < 5


async def test_text_that_turns_out_to_be_thinking_becomes_it_and_stays_readable(
    openai: Any, alice: Principal, server: ModelServer
) -> None:
    """A template that opens the thinking itself leaves only its end to the answer."""
    prompt = "hello [[think=6 tokens=5 reasoning=lone]]"
    async with running(openai()) as process:
        talk = await new_talk(process, alice)
        answer = await talk.ask(prompt)
    thought = "".join(thinking_for(prompt)) + "\n"
    assert (answer.status, answer.content, answer.thinking) == ("complete", words(prompt), thought)
    (replaced,) = answer.superseded
    assert (replaced["content"], replaced["reason"]) == (thought, loop.WAS_THINKING)


async def test_what_the_model_does_not_take_is_told_with_the_answer(
    openai: Any, alice: Principal, server: ModelServer
) -> None:
    server.refuses = ("temperature", "seed")
    async with running(openai()) as process:
        talk = await new_talk(process, alice, options={"temperature": 0.3, "seed": 7, "top_p": 0.9})
        answers = [await talk.ask("hello"), await talk.ask("again")]
    assert [answer.usage and answer.usage["ignored_options"] for answer in answers] == [["temperature", "seed"]] * 2
    assert len(server.chats) == 4


async def test_an_answer_whose_prompt_was_cut_in_silence_says_so(talk: Talk, server: ModelServer) -> None:
    server.cuts_to = 6000
    long = "word " * 2800
    answers = [await talk.ask(f"{long} {number} [[tokens=5]]") for number in range(4)]
    assert [answer.usage and answer.usage.get("prompt_cut") for answer in answers] == [None, None, True, True]

"""What follows each way in which a model server fails (reliability.md 2.4)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app.accounts.principal import Principal
from app.providers import circuit
from app.providers.embedded import provider as embedded
from app.providers.embedded.discovery import find_model
from tests.generations.asking import MakeSettings, Talk, error_of, new_talk, words
from tests.jobs.waiting import until
from tests.model_server import ModelServer
from tests.process import running
from tests.providers.asking import settings_for
from tests.providers.embedded.runtimes import KILLED_BY_SIGILL, LIBGOMP, LIBGOMP_TOLD, child_with, refusing

pytestmark = pytest.mark.usefixtures("quick_retries")


async def test_F07_refused_and_then_back_is_answered(talk: Talk, server: ModelServer) -> None:
    port = server.port
    await server.stop()
    sent = await talk.send("hello")

    async def has_failed() -> bool:
        return (await talk.job(sent.job.id)).failures > 1

    await until(has_failed)
    assert (await talk.message(sent.assistant_message.id)).status == "generating"
    server.port = port
    await server.start()
    answer = await talk.ended(sent)
    assert answer.content == words("hello")
    assert len(server.chats) == 1


async def test_F07_gone_for_longer_than_the_patience_fails_as_unavailable(
    make_settings: MakeSettings, alice: Principal, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit, "OPEN_SECONDS", 0.1)
    await server.stop()
    async with running(make_settings(retry_patience=0.2)) as process:
        talk = await new_talk(process, alice)
        answer = await talk.ask("hello")
    assert (answer.status, error_of(answer)) == ("failed", "unavailable")
    assert answer.error is not None
    assert answer.error["retryable"]


@pytest.mark.skipif(find_model(settings_for(embedded_model="auto")) is None, reason="extra not installed")
@pytest.mark.parametrize(
    ("source", "told"),
    [
        (refusing(LIBGOMP), LIBGOMP_TOLD),
        (KILLED_BY_SIGILL, "The built-in model cannot run: this computer's processor is not supported."),
    ],
)
async def test_F38_a_built_in_model_that_cannot_run_fails_at_once(
    source: str,
    told: str,
    make_settings: MakeSettings,
    alice: Principal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embedded, "CHILD", child_with(tmp_path / "fake", source))
    async with running(make_settings(embedded_model="auto", retry_patience=300)) as process:
        talk = await new_talk(process, alice)
        sent = await talk.send("hello", model="embedded/smollm2:135m")
        answer = await talk.ended(sent, seconds=5)
        assert (answer.status, answer.error) == ("failed", {"code": "unusable", "message": told, "retryable": False})
        assert (await talk.job(sent.job.id)).failures == 0


async def test_F07_other_users_answers_go_on_while_one_server_is_away(
    make_settings: MakeSettings, alice: Principal, server: ModelServer
) -> None:
    settings = make_settings(openai_base_url="http://127.0.0.1:1/v1")
    async with running(settings) as process:
        talk, other = await new_talk(process, alice), await new_talk(process, alice)
        away = await other.send("hello", model="openai/away")
        assert (await talk.ask("hello")).status == "complete"
        assert (await other.job(away.job.id)).finished_at is None
        await process.endings.cancel(alice, away.job.id)
        assert (await other.ended(away)).status == "stopped"


async def test_F08_a_slow_first_token_and_slow_tokens_are_waited_for(talk: Talk, server: ModelServer) -> None:
    prompt = "hello [[tokens=4 rate=10 first=300]]"
    assert (await talk.ask(prompt)).content == words(prompt)
    assert len(server.chats) == 1


async def test_F09_a_hang_before_the_first_token_is_asked_again(
    make_settings: MakeSettings, alice: Principal, server: ModelServer
) -> None:
    async with running(make_settings(first_token_timeout=0.2, connect_timeout=0.2)) as process:
        talk = await new_talk(process, alice)
        prompt = "hello [[fault=hang times=1]]"
        assert (await talk.ask(prompt)).content == words(prompt)
    assert len(server.chats) == 2


async def test_F09_a_second_hang_before_the_first_token_is_enough(
    make_settings: MakeSettings, alice: Principal, server: ModelServer
) -> None:
    async with running(make_settings(first_token_timeout=0.2, connect_timeout=0.2)) as process:
        answer = await (await new_talk(process, alice)).ask("hello [[fault=hang]]")
    assert (answer.status, error_of(answer)) == ("failed", "unavailable")
    assert len(server.chats) == 2


async def test_F09_silence_in_the_middle_is_gone_on_from(
    make_settings: MakeSettings, alice: Principal, server: ModelServer
) -> None:
    async with running(make_settings(idle_timeout=0.2)) as process:
        talk = await new_talk(process, alice)
        prompt = "hello [[tokens=30 fault=hang_after:10 times=1]]"
        assert (await talk.ask(prompt)).content == words(prompt)
    assert server.chats[-1].prefix == words(prompt, 10)


@pytest.mark.parametrize("fault", ["cut_after:20", "rst_after:20", "eof_after:20", "cut_line:20", "cut_bytes:1500"])
@pytest.mark.parametrize("text", ["plain", "unicode"])
async def test_F10_cut_in_mid_stream_ends_in_the_undisturbed_text(
    talk: Talk, server: ModelServer, fault: str, text: str
) -> None:
    prompt = f"hello [[tokens=40 text={text} fault={fault} times=1]]"
    sent = await talk.send(prompt)
    answer = await talk.ended(sent)
    assert (answer.content, answer.status, answer.finish_reason) == (words(prompt), "complete", "stop")
    assert "�" not in answer.content
    assert len(server.chats) == 2
    assert answer.content.startswith(server.chats[-1].prefix)
    assert answer.superseded == []
    assert "restart" not in await talk.kinds(sent.job.id)
    job = await talk.job(sent.job.id)
    assert (job.attempt, job.crashes) == (2, 0)


async def test_F10_cut_again_and_again_it_still_gets_there_as_long_as_it_gets_on(
    talk: Talk, server: ModelServer
) -> None:
    prompt = "hello [[tokens=50 fault=cut_after:10]]"  # every request gives ten more
    answer = await talk.ask(prompt)
    assert answer.content == words(prompt)
    assert len(server.chats) == 5


async def test_F10_I7_cut_without_getting_on_fails_and_keeps_the_text(talk: Talk, server: ModelServer) -> None:
    prompt = "hello [[tokens=10 fault=no_done]]"
    answer = await talk.ask(prompt)
    assert (answer.status, error_of(answer)) == ("failed", "interrupted")
    assert answer.content == words(prompt)


@pytest.mark.parametrize(
    ("prompt", "code", "asked"),
    [
        ("hi [[fault=overflow]]", "context_overflow", 1),
        ("hi [[fault=not_found]]", "model_not_found", 1),
        ("hi [[fault=status:400]]", "rejected", 1),
        ("hi [[fault=status:401]]", "credentials", 1),
        ("hi [[fault=html]]", "protocol", 1),
        ("hi [[fault=redirect:127.0.0.1:9]]", "protocol", 1),
        ("hi [[tokens=10 fault=malformed_after:5]]", "protocol", 1),
        ("hi [[tokens=10 fault=error_after:0]]", "provider_failed", 2),
    ],
)
async def test_a_failure_is_named_and_asked_about_again_only_where_that_may_help(
    talk: Talk, server: ModelServer, prompt: str, code: str, asked: int
) -> None:
    answer = await talk.ask(prompt)
    assert (answer.status, error_of(answer), answer.finish_reason) == ("failed", code, None)
    assert len(server.chats) == asked
    if "malformed_after" in prompt:
        assert answer.content.startswith(words(prompt, 5))
    assert (await talk.ask("and now?")).status == "complete"  # the conversation is not stuck


async def test_a_model_of_a_provider_that_is_no_more_is_not_found(
    openai: Any, make_settings: MakeSettings, alice: Principal
) -> None:
    async with running(openai(max_running_per_user=1)) as process:
        talk = await new_talk(process, alice)
        first = await talk.send("one [[tokens=endless rate=50]]")
        await talk.running(first.job.id)
    async with running(make_settings()) as process:
        answer = await talk.elsewhere(process).ended(first)
        assert (answer.status, error_of(answer)) == ("failed", "model_not_found")


@pytest.mark.parametrize("spelled", ["0", "date", "past", "-5", "garbage"])
async def test_F15_retry_after_is_obeyed_within_reason(talk: Talk, server: ModelServer, spelled: str) -> None:
    prompt = f"hello [[fault=status:503:{spelled} times=1]]"
    sent = await talk.send(prompt)
    if spelled == "date":  # five seconds from now
        await until(lambda: server.chats)

        async def waits() -> bool:
            return (await talk.job(sent.job.id)).failures == 1

        await until(waits)
        job = await talk.job(sent.job.id)
        assert 2 < (job.run_after - job.created_at).total_seconds() < 7
        await talk.process.endings.cancel(talk.principal, sent.job.id)
        assert (await talk.ended(sent, 1)).status == "stopped"
    else:
        assert (await talk.ended(sent)).content == words(prompt)


async def test_F16_a_server_that_closes_after_each_answer_answers_a_hundred_of_a_hundred(
    talk: Talk, server: ModelServer
) -> None:
    server.closes_reused = True
    others = [await new_talk(talk.process, talk.principal) for _ in range(20)]
    for round_ in range(5):
        answers = await asyncio.gather(*(other.ask(f"hello {round_} [[tokens=3]]") for other in others))
        assert {answer.status for answer in answers} == {"complete"}


async def test_F07_an_open_circuit_spares_the_server_and_closes_again(
    talk: Talk, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit, "OPEN_SECONDS", 0.2)
    port = server.port
    await server.stop()
    sent = [await (await new_talk(talk.process, talk.principal)).send("hello") for _ in range(3)]

    async def failed() -> bool:
        return all([(await talk.job(one.job.id)).failures >= 2 for one in sent])

    await until(failed)
    server.port = port
    await server.start()
    for one in sent:
        assert (await talk.ended(one, 20)).content == words("hello")

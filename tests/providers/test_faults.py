"""The provider rows of the fault catalogue, over both kinds, against the scripted server."""

import asyncio
import re
import resource
from typing import Any

import pytest

from app.clock import monotonic
from app.providers import circuit
from app.providers.base import ChatProvider
from app.providers.errors import (
    ContextOverflow,
    CredentialsRefused,
    FirstTokenTimeout,
    ModelNotFound,
    PaymentRequired,
    ProviderBusy,
    ProviderCut,
    ProviderError,
    ProviderFailed,
    ProviderProtocolError,
    ProviderRejected,
    ProviderUnavailable,
)
from app.providers.registry import make_provider
from tests.model_server import ModelServer, answer_for
from tests.model_server.script import Script
from tests.ports import free_port
from tests.providers.asking import all_events, closing, end_of, heard, question, settings_for, text_of, usage_of
from tests.providers.conftest import MakeProvider


async def until(condition: Any, seconds: float = 1.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_F07_a_refused_connection_is_unavailable_and_opens_the_circuit(
    kind: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit, "OPEN_SECONDS", 0.3)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with closing(make_provider(kind, settings_for(ollama_url=url, openai_base_url=url + "/v1"))) as provider:
        for _ in range(20):
            error = (await heard(provider, question("hi"))).error
            assert isinstance(error, ProviderUnavailable)
            assert not error.permanent
            assert not error.began
            circuit_said = error.retry_after
        assert circuit_said is not None
        assert len(caplog.records) <= 2
        async with ModelServer(port=port):
            assert isinstance((await heard(provider, question("hi"))).error, ProviderUnavailable)
            await asyncio.sleep(0.35)
            assert text_of(await all_events(provider, question("hi")))


async def test_F07_an_unknown_host_is_unavailable(kind: str) -> None:
    settings = settings_for(ollama_url="http://nowhere.invalid:1", openai_base_url="http://nowhere.invalid:1/v1")
    async with closing(make_provider(kind, settings)) as provider:
        assert isinstance((await heard(provider, question("hi"))).error, ProviderUnavailable)


async def test_F08_a_slow_first_token_and_slow_tokens_are_fine(make: MakeProvider) -> None:
    provider = make(first_token_timeout=1.5, idle_timeout=0.3)
    events = await all_events(provider, question("hi [[tokens=4 first=600 rate=10]]"))
    assert end_of(events).reason == "stop"


async def test_F09_a_server_that_never_answers_is_a_first_token_timeout(make: MakeProvider) -> None:
    provider = make(first_token_timeout=0.3)
    error = (await heard(provider, question("hi [[fault=hang]]"))).error
    assert isinstance(error, FirstTokenTimeout)
    assert not error.began


async def test_F09_silence_in_the_middle_is_a_cut(make: MakeProvider) -> None:
    provider = make(first_token_timeout=5, idle_timeout=0.3)
    began = monotonic()
    events = await heard(provider, question("hi [[tokens=9 fault=hang_after:3]]"))
    assert monotonic() - began < 2
    assert isinstance(events.error, ProviderCut)
    assert events.error.began
    assert text_of(events) == "".join(answer_for("hi [[tokens=9 fault=hang_after:3]]")[:3])


@pytest.mark.parametrize("prompt", ["[[fault=hang]]", "[[tokens=9 fault=hang_after:2]]", "[[tokens=endless rate=50]]"])
async def test_cancelling_closes_the_connection_within_a_second(
    prompt: str, server: ModelServer, provider: ChatProvider
) -> None:
    task = asyncio.create_task(all_events(provider, question(prompt)))
    await until(lambda: server.chats, 3)
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: server.chats[0].disconnected)


@pytest.mark.parametrize("how", ["cut_bytes", "eof_bytes", "close_bytes"])
async def test_F10_a_stream_cut_at_every_byte_never_looks_complete(
    how: str, server: ModelServer, provider: ChatProvider
) -> None:
    expected = "".join(answer_for("茶?", 3, Script(text="unicode")))
    complete: list[bool] = []
    while complete[-20:] != [True] * 20:
        server.default = Script(tokens=3, text="unicode", fault=f"{how}:{len(complete) + 1}")
        events = await heard(provider, question("茶?"))
        assert expected.startswith(text_of(events))
        assert "\ufffd" not in text_of(events)
        complete.append(events.error is None)
        if events.error is None:
            assert text_of(events) == expected
            assert end_of(events).reason == "stop"
        else:
            assert type(events.error) is ProviderCut
            assert events.error.began
        assert len(complete) < 4000
    # With the end marker it is complete, without its last byte it is not.
    assert complete == sorted(complete)
    assert complete.count(False) > 400


@pytest.mark.parametrize("fault", ["cut_after:3", "rst_after:3", "eof_after:3", "cut_line:3"])
async def test_F10_a_break_keeps_the_text_and_is_a_cut(fault: str, provider: ChatProvider) -> None:
    prompt = f"[[tokens=9 rate=200 fault={fault}]]"
    events = await heard(provider, question(prompt))
    assert isinstance(events.error, ProviderCut)
    assert events.error.began
    assert text_of(events) == "".join(answer_for(prompt)[:3])


async def test_F10_going_on_after_a_cut_gives_the_whole(provider: ChatProvider) -> None:
    prompt = "[[tokens=30 text=unicode fault=cut_after:11 times=1]]"
    first = await heard(provider, question(prompt))
    assert isinstance(first.error, ProviderCut)
    second = await all_events(provider, question(prompt, text_of(first)))
    assert text_of(first) + text_of(second) == "".join(answer_for(prompt))


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("malformed_after:2", ProviderProtocolError),
        ("bad_utf8_after:2", ProviderProtocolError),
        ("types_after:2:number", ProviderProtocolError),
        ("types_after:2:object", ProviderProtocolError),
        ("types_after:2:true", ProviderProtocolError),
        ("types_after:2:null", None),  # a list is Mistral's way: tests/providers/openai_compatible/test_dialects.py
        ("error_after:0", ProviderFailed),
        ("error_after:2", ProviderFailed),
        ("error_last", ProviderFailed),
        ("dup_done", None),
        ("after_done", None),
        ("noise", None),
        ("crlf", None),
        ("bom", None),
        ("dribble", None),
    ],
)
async def test_F11_odd_lines(fault: str, expected: type[ProviderError] | None, provider: ChatProvider) -> None:
    prompt = f"[[tokens=5 text=unicode fault={fault}]]"
    events = await heard(provider, question(prompt))
    if expected is None:
        assert events.error is None
        assert text_of(events) == "".join(answer_for(prompt))
        assert end_of(events).reason == "stop"
    else:
        assert type(events.error) is expected
        assert events.error is not None
        assert events.error.began
        assert "".join(answer_for(prompt)).startswith(text_of(events))


async def test_F12_ten_thousand_empty_deltas_are_no_events(provider: ChatProvider) -> None:
    prompt = "[[tokens=3 fault=empty_after:1:10000]]"
    events = await all_events(provider, question(prompt))
    assert len(events) == 5
    assert text_of(events) == "".join(answer_for(prompt))


async def test_F12_an_endless_answer_can_be_left(server: ModelServer, provider: ChatProvider) -> None:
    stream = provider.chat(question("[[tokens=endless]]"))
    for _ in range(5000):
        await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]
    await until(lambda: server.chats[0].disconnected)


@pytest.mark.parametrize("fault", ["long_line_after:2:100000000", "gzip", "headers:1000"])
async def test_F13_what_is_too_big_is_refused_early(fault: str, provider: ChatProvider) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    events = await heard(provider, question(f"my secret question [[tokens=5 fault={fault}]]"))
    assert isinstance(events.error, ProviderProtocolError)
    assert "secret question" not in events.error.message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # the server is in this process, too


async def test_F14_a_redirect_is_named_and_never_followed(server: ModelServer, provider: ChatProvider) -> None:
    async with ModelServer() as elsewhere:
        prompt = f"[[fault=redirect:127.0.0.1:{elsewhere.port}]]"
        error = (await heard(provider, question(prompt))).error
        assert isinstance(error, ProviderProtocolError)
        assert f"127.0.0.1:{elsewhere.port}" in error.message
        assert elsewhere.requests == []


@pytest.mark.parametrize("fault", ["html", "error200"])
async def test_F14_what_is_no_stream_is_quoted(fault: str, provider: ChatProvider) -> None:
    error = (await heard(provider, question(f"[[fault={fault}]]"))).error
    assert isinstance(error, ProviderProtocolError)
    assert ("Log in to the proxy" in error.message) or ("model runner" in error.message)
    assert "<" not in error.message
    assert len(error.message) < 320


@pytest.mark.parametrize(
    ("spelled", "low", "high"),
    [("7", 7, 7), ("1.5", 1.5, 1.5), ("date", 2, 6), ("past", 0, 0), ("-5", 0, 0), ("1000000000", 300, 300)],
)
async def test_F15_retry_after_is_obeyed_within_reason(
    spelled: str, low: float, high: float, provider: ChatProvider
) -> None:
    for status, expected in ((429, ProviderBusy), (503, ProviderUnavailable)):
        error = (await heard(provider, question(f"[[fault=status:{status}:{spelled}]]"))).error
        assert type(error) is expected
        assert error.retry_after is not None
        assert low <= error.retry_after <= high


@pytest.mark.parametrize("spelled", ["soon", "nan", "", "99999999999999999999-01-01"])
async def test_F15_a_garbled_retry_after_is_none(spelled: str, provider: ChatProvider) -> None:
    error = (await heard(provider, question(f"[[fault=status:429:{spelled}]]"))).error
    assert isinstance(error, ProviderBusy)
    assert error.retry_after is None


@pytest.mark.parametrize("fault", ["", "fault=keepalive_lie"])
async def test_F16_a_server_that_closes_kept_connections_costs_no_answer(fault: str, kind: str) -> None:
    async with ModelServer(closes_reused=True) as server:
        settings = settings_for(ollama_url=server.url, openai_base_url=server.openai_url)
        async with closing(make_provider(kind, settings)) as provider:
            for number in range(100):
                assert end_of(await all_events(provider, question(f"{number} [[tokens=2 {fault}]]"))).reason == "stop"
        assert len(server.chats) == 100


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        *[(f"status:{status}", ProviderUnavailable) for status in (408, 425, 500, 502, 503, 504, 529)],
        *[(f"status:{status}", ProviderRejected) for status in (400, 413, 422)],
        ("status:402", PaymentRequired),
        *[(f"status:{status}", CredentialsRefused) for status in (401, 403)],
        ("status:404", ModelNotFound),
        ("status:501", ProviderProtocolError),
        ("overflow", ContextOverflow),
        ("overflow:llama", ContextOverflow),
        ("refuse", ProviderUnavailable),
    ],
)
async def test_every_status_has_its_name(fault: str, expected: type[ProviderError], provider: ChatProvider) -> None:
    error = (await heard(provider, question(f"[[fault={fault}]]"))).error
    assert type(error) is expected
    assert not error.began
    assert re.search(r"scripted \d|context|broke|closed", error.message)


async def test_a_model_that_is_not_there(provider: ChatProvider) -> None:
    assert isinstance((await heard(provider, question("hi", model="nobody"))).error, ModelNotFound)


async def test_a_finish_by_length_says_so(provider: ChatProvider) -> None:
    events = await all_events(provider, question("[[tokens=20]]", max_tokens=4))
    assert end_of(events).reason == "length"
    assert usage_of(events).completion_tokens == 4


async def test_a_lone_surrogate_in_a_prompt_is_rejected_by_name(provider: ChatProvider) -> None:
    assert isinstance((await heard(provider, question("\ud83d"))).error, ProviderRejected)

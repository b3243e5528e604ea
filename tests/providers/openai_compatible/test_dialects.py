"""Streams as the many servers of the world send them: each spelling is what some server was seen to do."""

import gzip
from typing import Any

import orjson
import pytest
from aiohttp import web

from app.providers.errors import ContextOverflow, ProviderCut, ProviderError, ProviderFailed, ProviderProtocolError
from app.providers.events import WasThinking
from app.providers.http import Upstream
from app.providers.lenient import is_json
from app.providers.openai_compatible import chat
from app.providers.openai_compatible.client import from_settings
from tests.providers.asking import Heard, closing, end_of, heard, question, settings_for, text_of, thinking_of
from tests.providers.openai_compatible.raw_server import answering

SSE = "text/event-stream"


async def told(body: bytes, kind: str = SSE, **headers: str) -> Heard:
    named = {"Content-Type": kind} | {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, headers=named)

    async with answering(answer) as url, closing(from_settings(settings_for(openai_base_url=url))) as provider:
        return await heard(provider, question("hi"))


def chunk(delta: Any = None, reason: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": reason}
    return b"data: " + orjson.dumps({"choices": [choice], **more}) + b"\n\n"


END = chunk(reason="stop") + b"data: [DONE]\n\n"
HELLO = chunk({"content": "Hello"})
WHOLE = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}


def parts(*texts: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": text} for text in texts]


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("parts in place of a text (Mistral)", chunk({"content": parts("Hel", "lo")}) + END, SSE),
        ("message for delta", HELLO.replace(b'"delta"', b'"message"') + END, SSE),
        ("[DONE] without a finish_reason", HELLO + b"data: [DONE]\n\n", SSE),
        ("no [DONE]", HELLO + chunk(reason="stop"), SSE),
        ("one object", orjson.dumps(WHOLE), "application/json"),
        (
            "one object over many lines",
            orjson.dumps(WHOLE, option=orjson.OPT_INDENT_2),
            "application/json",
        ),
        ("events called JSON", HELLO + END, "application/json"),
        ("events called text", HELLO + END, "text/plain"),
        ("events without a type", HELLO + END, "application/octet-stream"),
        ("objects without `data:`", (HELLO + END).replace(b"data: ", b"").replace(b"[DONE]\n\n", b""), SSE),
        ("null, a word and a list between", HELLO + b'data: null\n\ndata: "ok"\n\ndata: []\n\n' + END, SSE),
        ("a choice that is none", HELLO + b'data: {"choices":[null]}\n\ndata: {"choices":{}}\n\n' + END, SSE),
        ("an object that is none of ours", b'data: {"type":"ping"}\n\n' + HELLO + END, SSE),
        ("comments and other fields", b": OPENROUTER PROCESSING\n\nid: 7\nretry: 10\n" + HELLO + END, SSE),
        ("named events", b"event: message\n" + HELLO + b"event: end\n" + END, SSE),
        ("text and end in one", chunk({"content": "Hello"}, "stop"), SSE),
        ("reason EOS", HELLO + chunk(reason="eos_token"), SSE),
        ("reason STOP", HELLO + chunk(reason="STOP"), SSE),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) and " " in value else "",
)
async def test_the_answer_is_understood(name: str, body: bytes, kind: str) -> None:
    events = await told(body, kind)
    assert events.error is None, name
    assert (text_of(events), thinking_of(events), end_of(events).reason) == ("Hello", "", "stop")


@pytest.mark.parametrize("spelling", ["gzip", "GZip", "x-gzip"])
async def test_what_comes_packed_unasked_is_unpacked(spelling: str) -> None:
    words = [f"word {number} " for number in range(20_000)]
    packed = gzip.compress(b"".join(chunk({"content": word}) for word in words) + END)
    events = await told(packed, Content_Encoding=spelling)
    assert text_of(events) == "".join(words)
    broken = await told(packed[: len(packed) // 2], Content_Encoding=spelling)
    assert isinstance(broken.error, ProviderCut)
    assert isinstance((await told(b"never packed" * 9, Content_Encoding=spelling)).error, ProviderProtocolError)


@pytest.mark.parametrize(
    ("halves", "text"),
    [
        ((r"a\ud83c", r"\udf75b"), "a🍵b"),
        ((r"\ud83c\udf75", "b"), "🍵b"),
        ((r"a\ud83c", "b"), "a\ufffdb"),
        ((r"\udf75a", "b"), "\ufffdab"),
        ((r"a\ud83c", r"\ud83c", r"\udf75"), "a\ufffd🍵"),
    ],
)
async def test_halves_of_characters_are_joined(halves: tuple[str, ...], text: str) -> None:
    events = await told(b"".join(chunk({"content": "@"}).replace(b"@", half.encode()) for half in halves) + END)
    assert text_of(events) == text and events.error is None


@pytest.mark.parametrize(
    ("body", "thinking", "text"),
    [
        (chunk({"content": [{"type": "thinking", "thinking": parts("hm")}]}) + HELLO, "hm", "Hello"),
        (chunk({"content": "[THINK]hm[/THINK]"}) + HELLO, "hm", "Hello"),
        (chunk({"content": "<thinking>hm</thinking>\n"}) + HELLO, "hm", "Hello"),
        (
            chunk({"content": "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>"})
            + HELLO,
            "hm",
            "Hello",
        ),
        (chunk({"reasoning_content": "hm"}) + chunk({"content": "say\n</think>\n"}), "hm", "say\n</think>\n"),
    ],
)
async def test_thinking_is_told_from_text(body: bytes, thinking: str, text: str) -> None:
    events = await told(body + END)
    assert (thinking_of(events), text_of(events)) == (thinking, text)


async def test_a_lone_end_makes_thinking_of_what_was_text() -> None:
    events = await told(chunk({"content": "hm\n"}) + chunk({"content": "</think>\n\nHello"}) + END)
    assert [event.text for event in events if isinstance(event, WasThinking)] == ["hm\n"]
    assert text_of(events) == "hm\nHello" and events.error is None


@pytest.mark.parametrize(
    ("body", "expected", "words"),
    [
        (HELLO + b'{"error":{"message":"out of luck"}}\n', ProviderFailed, "out of luck"),
        (HELLO + b'data: {"detail":"out of luck"}\n\n', ProviderFailed, "out of luck"),
        (HELLO + b"event: error\ndata: out of luck\n\n", ProviderFailed, "out of luck"),
        (HELLO + b'event: error\ndata: {"message":"out of luck"}\n\n', ProviderFailed, "out of luck"),
        (HELLO + b'event: error\ndata: {"error":{"message":"out of luck"}}\n\n', ProviderFailed, "out of luck"),
        (HELLO + b'data: {"error":{"code":"context_length_exceeded","message":"long"}}\n\n', ContextOverflow, "long"),
        (HELLO + b"data: {broken\n\n" + END, ProviderProtocolError, "malformed"),
        (HELLO + b'data: null\n\ndata: "half"\n\n', ProviderProtocolError, "no object"),
        (HELLO + chunk(reason="error"), ProviderFailed, "error"),
        (HELLO + chunk(reason="abort"), ProviderFailed, "abort"),
        (HELLO + chunk(reason="insufficient_system_resource"), ProviderFailed, "insufficient_system_resource"),
        (HELLO, ProviderCut, "end marker"),
        (b"", ProviderCut, "end marker"),
    ],
)
async def test_what_went_wrong_is_said(body: bytes, expected: type[ProviderError], words: str) -> None:
    events = await told(body)
    assert type(events.error) is expected and words in events.error.message
    assert text_of(events) == ("Hello" if body else "")


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("MAX_TOKENS", "length"),
        ("max_tokens", "length"),
        ("model_length", "length"),
        ("SAFETY", "content_filter"),
        ("content_filter", "content_filter"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("LANGUAGE", "LANGUAGE"),
        ("x" * 500, "x" * 64),
    ],
)
async def test_the_reason_of_the_end_is_told_by_our_word_or_by_theirs(word: str, reason: str) -> None:
    assert end_of(await told(HELLO + chunk(reason=word))).reason == reason


async def test_a_refusal_is_shown() -> None:
    events = await told(chunk({"refusal": "I will not."}) + END)
    assert (text_of(events), end_of(events).reason) == ("I will not.", "refusal")


def test_an_object_that_comes_byte_by_byte_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    def look(line: bytes) -> bool:
        looks.append(len(line))
        return is_json(line)

    monkeypatch.setattr(chat, "is_json", look)
    whole = {"choices": [{"message": {"content": "x" * 100_000}, "finish_reason": "stop"}]}
    for body in (orjson.dumps(whole), orjson.dumps(whole, option=orjson.OPT_INDENT_2)):
        parser = chat.AnswerParser(Upstream("http://127.0.0.1/v1", settings_for()), None, continues=False)
        assert [event for byte in body for event in parser.feed(bytes([byte]))] == []
        assert len(text_of(list(parser.finish()))) == 100_000
    assert len(looks) == 1

"""The stream of a chat completion to events: server-sent events, as the many servers send them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from app.providers.errors import ProviderCut, ProviderProtocolError
from app.providers.events import ChatEvent, Finished, ThinkingDelta, Usage
from app.providers.failures import from_error_body, from_error_event
from app.providers.finishing import reason_of
from app.providers.http import Upstream
from app.providers.lenient import Characters, is_json, loads, text_of
from app.providers.lines import MAX_LINE, EventSplitter, too_long
from app.providers.thinking import InlineThinking
from app.providers.values import count

_REASONING = ("reasoning_content", "reasoning", "thinking")


class AnswerParser:
    """Chunks to events. `heard` after the first token, `told` after a finish_reason, `ended` after [DONE].

    A finish_reason makes an answer complete, or [DONE] behind some text; between them may come the usage, and nothing
    is shown. A chunk that is no part of an answer is passed over: it is what was wrong if the end does not come.
    """

    def __init__(self, upstream: Upstream, window: int | None, *, continues: bool) -> None:
        self._upstream = upstream
        self._window = window
        self._splitter = EventSplitter()
        self._is_stream = False  # as soon as it shows
        self._object = bytearray()  # that may have come in the place of a stream
        self._has_many_lines = False
        self._inline = InlineThinking(may_think=not continues)
        self._characters = Characters()
        self._reason: str | None = None
        self._refused = False
        self._usage: Usage | None = None
        self._odd: ProviderProtocolError | None = None
        self.heard = False
        self.ended = False

    @property
    def told(self) -> bool:
        return self._reason is not None

    def feed(self, chunk: bytes) -> Iterator[ChatEvent]:
        if not self._is_stream:
            chunk = self._begin(chunk)
        return self._events(self._splitter.feed(chunk))

    def finish(self, ignored: Sequence[str] = ()) -> Iterator[ChatEvent]:
        """At the end of the stream, whatever its end was. `ignored`: options that the server does not take."""
        if not self._is_stream and self._object:
            yield from self._events([bytes(self._object)])
        if not self.ended:
            yield from self._events(self._splitter.rest())
        if self._reason is None and self.ended and self.heard:
            yield from self._inline.finish()
            self._reason = "stop"
        if self._reason is None:
            raise self._odd or ProviderCut(f"{self._upstream.label} ended the answer without its end marker.")
        yield replace(self._usage or Usage(context_length=self._window), ignored=tuple(ignored))
        yield Finished("refusal" if self._refused else self._reason)

    def _begin(self, chunk: bytes) -> bytes:
        """What is to be read as a stream. An object is held back: some answer with one, though a stream was asked for.

        Nothing is looked at twice, however small the chunks are.
        """
        if not self._object:
            chunk = chunk.lstrip()
            if chunk.startswith(b"<"):
                raise self._no_stream(chunk)
            if chunk and not chunk.startswith(b"{"):
                self._is_stream = True
            if not chunk.startswith(b"{"):
                return chunk
        self._object += chunk
        if len(self._object) > MAX_LINE:
            raise too_long()
        if self._has_many_lines or b"\n" not in chunk:
            return b""
        self._is_stream = is_json(bytes(self._object).partition(b"\n")[0])  # objects line by line
        self._has_many_lines = not self._is_stream
        return bytes(self._object) if self._is_stream else b""

    def _events(self, events: list[bytes]) -> Iterator[ChatEvent]:
        for data in events:
            if data == b"[DONE]":
                self.ended = True
                return
            chunk = self._parsed(data)
            if chunk is None:
                continue
            choices = chunk.get("choices")
            if choices and not self.told:
                yield from self._choice(choices)
            if usage := chunk.get("usage"):
                self._usage = self._counted(usage)

    def _choice(self, choices: Any) -> Iterator[ChatEvent]:
        choice = choices[0] if type(choices) is list else None
        if type(choice) is not dict:
            self._odd = self._sent("a choice of the wrong type")
            return
        if delta := choice.get("delta") or choice.get("message"):
            if type(delta) is not dict:
                raise self._sent("a delta of the wrong type")
            yield from self._delta(delta)
        if reason := choice.get("finish_reason"):
            yield from self._inline.finish()
            self._reason = reason_of(reason, self._upstream.label)

    def _delta(self, delta: dict[str, Any]) -> Iterator[ChatEvent]:
        content = delta.get("content")
        for name in _REASONING:
            if thinking := delta.get(name):
                if type(thinking) is not str:
                    raise self._sent(f"a {name} of the wrong type")
                yield from self._thought(thinking)
                break
        if type(content) is list:
            for thinking in _thinking_in(content):
                yield from self._thought(thinking)
        text = text_of(content)
        if text is None and content is not None:
            raise self._sent("a content of the wrong type")
        refusal = delta.get("refusal")
        if refusal and type(refusal) is str:
            self._refused, text = True, (text or "") + refusal
        if text and (text := self._characters.feed(text)):
            self.heard = True
            yield from self._inline.feed(text)

    def _thought(self, text: str) -> Iterator[ChatEvent]:
        self.heard = True
        self._inline.told_apart()
        if text := self._characters.feed(text):
            yield ThinkingDelta(text)

    def _parsed(self, data: bytes) -> dict[str, Any] | None:
        """None: no part of an answer, or nothing that matters any more."""
        try:
            chunk = loads(data)
        except ValueError:
            if self.told:
                return None
            raise self._sent(f"a malformed event: {self._upstream.quote(data)}") from None
        if type(chunk) is not dict:
            self._odd = self._sent(f"an event that is no object: {self._upstream.quote(data)}")
            return None
        error = _error_in(chunk)
        if error is not None and not self._is_stream:
            raise from_error_body(error, self._upstream.label, secret=self._upstream.key)
        if error is not None and not self.told:
            raise from_error_event(error, self._upstream.label, secret=self._upstream.key, began=True)
        return chunk

    def _counted(self, usage: Any) -> Usage | None:
        if not isinstance(usage, dict):
            return None
        prompt, completion = (count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens"))
        return Usage(prompt, completion, self._window)

    def _sent(self, what: str) -> ProviderProtocolError:
        return ProviderProtocolError(f"{self._upstream.label} sent {what}")

    def _no_stream(self, data: bytes) -> ProviderProtocolError:
        return ProviderProtocolError(
            f"{self._upstream.label} did not answer with a stream: {self._upstream.quote(data)}"
        )


def _error_in(chunk: dict[str, Any]) -> Any:
    """Errors come under that name, as llama.cpp's bare `code` and `message`, or as FastAPI's `detail`."""
    if chunk.get("error") is not None or "choices" in chunk:
        return chunk.get("error")
    return chunk if chunk.keys() >= {"code", "message"} or chunk.keys() == {"detail"} else None


def _thinking_in(parts: list[Any]) -> Iterator[str]:
    """Of a content that is a list of parts (Mistral)."""
    for part in parts:
        if type(part) is dict and part.get("type") == "thinking" and (thinking := text_of(part.get("thinking"))):
            yield thinking

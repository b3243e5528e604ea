"""The SSE stream of a chat completion to events."""

from collections.abc import Iterator
from typing import Any

import orjson

from app.providers.errors import ProviderCut, ProviderProtocolError
from app.providers.events import ChatEvent, Finished, FinishReason, TextDelta, ThinkingDelta, Usage
from app.providers.failures import from_error_event
from app.providers.http import Upstream
from app.providers.lines import EventSplitter
from app.providers.openai_compatible.thinking import InlineThinking

_REASONING = ("reasoning_content", "reasoning", "thinking")
_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}


class AnswerParser:
    """Chunks to events. `heard` after the first token, `told` after a finish_reason, `ended` after [DONE].

    Only a finish_reason makes an answer complete; between it and the end may come the usage, and nothing is shown.
    """

    def __init__(self, upstream: Upstream, window: int | None, *, continues: bool) -> None:
        self._upstream = upstream
        self._window = window
        self._splitter = EventSplitter()
        self._inline = InlineThinking(may_think=not continues)
        self._reason: FinishReason | None = None
        self._usage: Usage | None = None
        self.heard = False
        self.ended = False

    @property
    def told(self) -> bool:
        return self._reason is not None

    def feed(self, chunk: bytes) -> Iterator[ChatEvent]:
        return self._events(self._splitter.feed(chunk))

    def finish(self) -> Iterator[ChatEvent]:
        """At the end of the stream, whatever its end was."""
        if not self.ended:
            yield from self._events(self._splitter.rest())
        if self._reason is None:
            raise ProviderCut(f"{self._upstream.label} ended the answer without its end marker.")
        yield self._usage or Usage(context_length=self._window)
        yield Finished(self._reason)

    def _events(self, events: list[bytes]) -> Iterator[ChatEvent]:
        for data in events:
            if data == b"[DONE]":
                self.ended = True
                return
            chunk = self._parsed(data)
            choices = chunk.get("choices")
            if choices and not self.told:
                yield from self._choice(choices)
            if usage := chunk.get("usage"):
                self._usage = self._counted(usage)

    def _choice(self, choices: Any) -> Iterator[ChatEvent]:
        choice = choices[0] if type(choices) is list else None
        if type(choice) is not dict:
            raise self._wrong_type("choice")
        delta = choice.get("delta")
        if delta:
            if type(delta) is not dict:
                raise self._wrong_type("delta")
            for name in _REASONING:
                if thinking := delta.get(name):
                    if type(thinking) is not str:
                        raise self._wrong_type(name)
                    self.heard = True
                    yield ThinkingDelta(thinking)
                    break
            content = delta.get("content")
            if content is not None:
                if type(content) is not str:
                    raise self._wrong_type("content")
                if content:
                    self.heard = True
                    if self._inline.is_past:
                        yield TextDelta(content)
                    else:
                        yield from self._inline.feed(content)
        reason = choice.get("finish_reason")
        if reason:
            yield from self._inline.finish()
            self._reason = _REASONS.get(reason, "stop") if type(reason) is str else "stop"

    def _parsed(self, data: bytes) -> dict[str, Any]:
        try:
            chunk = orjson.loads(data)
        except orjson.JSONDecodeError:
            if self.told:
                return {}
            said = self._upstream.quote(data)
            raise ProviderProtocolError(f"{self._upstream.label} sent a malformed event: {said}") from None
        if type(chunk) is not dict:
            if self.told:
                return {}
            raise self._wrong_type("chunk")
        error = chunk.get("error")
        if error is None and chunk.keys() >= {"code", "message"} and "choices" not in chunk:
            error = chunk  # llama.cpp's `error:` line is the bare error
        if error is not None and self._reason is None:
            raise from_error_event(error, self._upstream.label, secret=self._upstream.key, began=True)
        return chunk

    def _counted(self, usage: Any) -> Usage | None:
        if not isinstance(usage, dict):
            return None
        counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
        prompt, completion = (count if type(count) is int else None for count in counts)
        return Usage(prompt, completion, self._window)

    def _wrong_type(self, name: str) -> ProviderProtocolError:
        return ProviderProtocolError(f"{self._upstream.label} sent a {name} of the wrong type.")

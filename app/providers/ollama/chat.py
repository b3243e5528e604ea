"""Ollama's NDJSON stream to events."""

from collections.abc import Iterator
from typing import Any

import orjson

from app.providers.base import ChatOptions, ChatRequest
from app.providers.errors import ProviderCut, ProviderProtocolError
from app.providers.events import ChatEvent, Finished, TextDelta, ThinkingDelta, Usage
from app.providers.failures import from_error_event
from app.providers.http import Upstream
from app.providers.lines import LineSplitter

_OPTION_NAMES = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
    "repeat_penalty": "repeat_penalty",
    "max_tokens": "num_predict",
}


def body_for(request: ChatRequest, window: int) -> dict[str, Any]:
    """`num_ctx` is the same in every request to a model, or Ollama loads it anew; overflow must be an error."""
    body: dict[str, Any] = {
        "model": request.model,
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        "stream": True,
        "truncate": False,
        "shift": False,
        "options": {"num_ctx": window, **_options(request.options)},
    }
    if request.options.think is not None:
        body["think"] = request.options.think
    return body


def _options(options: ChatOptions) -> dict[str, Any]:
    given = {theirs: getattr(options, ours) for ours, theirs in _OPTION_NAMES.items()}
    if options.stop:
        given["stop"] = list(options.stop)
    return {name: value for name, value in given.items() if value is not None}


class AnswerParser:
    """Chunks to events. `heard` after the first token, `ended` after the end marker: nothing later is looked at."""

    def __init__(self, upstream: Upstream, window: int) -> None:
        self._upstream = upstream
        self._window = window
        self._splitter = LineSplitter()
        self.heard = False
        self.ended = False

    def feed(self, chunk: bytes) -> Iterator[ChatEvent]:
        for line in self._splitter.feed(chunk):
            data = self._parsed(line)
            if data is None:
                continue
            message = data.get("message")
            if message is not None:
                if type(message) is not dict:
                    raise self._wrong_type("message")
                if thinking := message.get("thinking"):
                    if type(thinking) is not str:
                        raise self._wrong_type("thinking")
                    self.heard = True
                    yield ThinkingDelta(thinking)
                content = message.get("content")
                if content is not None:
                    if type(content) is not str:
                        raise self._wrong_type("content")
                    if content:
                        self.heard = True
                        yield TextDelta(content)
            if data.get("done") is True:
                self.ended = True
                yield from self._end(data)
                return

    def finish(self) -> Iterator[ChatEvent]:
        """The stream ended: cut, unless its last line is the end marker and only lacks its newline."""
        try:
            data = orjson.loads(self._splitter.rest())
        except orjson.JSONDecodeError:
            data = None
        if not isinstance(data, dict) or data.get("done") is not True:
            raise ProviderCut(f"{self._upstream.label} ended the answer without its end marker.")
        self.ended = True
        yield from self._end(data)

    def _parsed(self, line: bytes) -> dict[str, Any] | None:
        """One line's object; None for a blank line."""
        try:
            data = orjson.loads(line)
        except orjson.JSONDecodeError:
            data = self._parsed_oddly(line)
            if data is None:
                return None
        if type(data) is not dict:
            raise ProviderProtocolError(f"{self._upstream.label} sent a line that is no object.")
        if "error" in data:
            raise from_error_event(data["error"], self._upstream.label, secret=self._upstream.key, began=True)
        return data

    def _parsed_oddly(self, line: bytes) -> Any:
        stripped = line.strip().removeprefix(b"\xef\xbb\xbf").strip()
        if not stripped:
            return None
        try:
            return orjson.loads(stripped)
        except orjson.JSONDecodeError:
            said = self._upstream.quote(stripped)
            raise ProviderProtocolError(f"{self._upstream.label} sent a malformed line: {said}") from None

    def _end(self, data: dict[str, Any]) -> Iterator[ChatEvent]:
        counts = [data.get(name) for name in ("prompt_eval_count", "eval_count")]
        prompt, completion = (count if type(count) is int else None for count in counts)
        yield Usage(prompt, completion, self._window)
        yield Finished("length" if data.get("done_reason") == "length" else "stop")

    def _wrong_type(self, name: str) -> ProviderProtocolError:
        return ProviderProtocolError(f"{self._upstream.label} sent a {name} of the wrong type.")

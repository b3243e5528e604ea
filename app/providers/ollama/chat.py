"""Ollama's NDJSON stream to events."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from app.providers.base import ChatOptions, ChatRequest
from app.providers.errors import ProviderCut, ProviderProtocolError
from app.providers.events import ChatEvent, Finished, ThinkingDelta, Usage
from app.providers.failures import from_error_body, from_error_event
from app.providers.finishing import reason_of
from app.providers.http import Upstream
from app.providers.lenient import Characters, is_json, loads
from app.providers.lines import LineSplitter
from app.providers.thinking import InlineThinking
from app.providers.values import count

_OPTION_NAMES = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
    "repeat_penalty": "repeat_penalty",
    "max_tokens": "num_predict",
}


def body_for(request: ChatRequest, window: int | None) -> dict[str, Any]:
    """`num_ctx` is the same in every request to a model, or Ollama loads it anew; overflow must be an error."""
    body: dict[str, Any] = {
        "model": request.model,
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        "stream": True,
        "truncate": False,
        "shift": False,
        "options": {**({"num_ctx": window} if window else {}), **_options(request.options)},
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
    """Chunks to events. `heard` after the first token, `ended` after the end marker: nothing later is looked at.

    A line that is no part of an answer is passed over: it is what was wrong if the end does not come.
    """

    def __init__(self, upstream: Upstream, window: int, *, continues: bool) -> None:
        self._upstream = upstream
        self._window = window
        self._splitter = LineSplitter()
        self._inline = InlineThinking(may_think=not continues)
        self._characters = Characters()
        self._odd: ProviderProtocolError | None = None
        self.heard = False
        self.ended = False

    def feed(self, chunk: bytes) -> Iterator[ChatEvent]:
        for line in self._splitter.feed(chunk):
            yield from self._line(line)
            if self.ended:
                return

    def finish(self) -> Iterator[ChatEvent]:
        """The stream ended: cut, unless its last line is the end marker and only lacks its newline."""
        rest = self._splitter.rest()
        if is_json(rest):
            yield from self._line(rest, is_whole=not self.heard)
        if not self.ended:
            raise self._odd or ProviderCut(f"{self._upstream.label} ended the answer without its end marker.")

    def _line(self, line: bytes, *, is_whole: bool = False) -> Iterator[ChatEvent]:
        data = self._parsed(line)
        if data is None:
            return
        if "error" in data:
            named = from_error_body if is_whole else partial(from_error_event, began=True)
            raise named(data["error"], self._upstream.label, secret=self._upstream.key)
        message = data.get("message")
        if message is not None:
            if type(message) is not dict:
                raise self._sent("a message of the wrong type")
            yield from self._message(message)
        if data.get("done") is True:
            self.ended = True
            yield from self._end(data)

    def _message(self, message: dict[str, Any]) -> Iterator[ChatEvent]:
        if thinking := message.get("thinking"):
            if type(thinking) is not str:
                raise self._sent("a thinking of the wrong type")
            self.heard = True
            self._inline.told_apart()
            if text := self._characters.feed(thinking):
                yield ThinkingDelta(text)
        content = message.get("content")
        if content is not None and type(content) is not str:
            raise self._sent("a content of the wrong type")
        if content and (text := self._characters.feed(content)):
            self.heard = True
            yield from self._inline.feed(text)

    def _parsed(self, line: bytes) -> dict[str, Any] | None:
        """One line's object; None for a blank line, and for what is no object."""
        if not line.strip(b" \r\t\xef\xbb\xbf"):
            return None
        try:
            data = loads(line)
        except ValueError:
            raise self._sent(f"a malformed line: {self._upstream.quote(line)}") from None
        if type(data) is not dict:
            self._odd = self._sent(f"a line that is no object: {self._upstream.quote(line)}")
            return None
        return data

    def _end(self, data: dict[str, Any]) -> Iterator[ChatEvent]:
        yield from self._inline.finish()
        prompt, completion = (count(data.get(name)) for name in ("prompt_eval_count", "eval_count"))
        reason = reason_of(data.get("done_reason"), self._upstream.label)
        yield Usage(prompt, completion, self._window)
        yield Finished(reason)

    def _sent(self, what: str) -> ProviderProtocolError:
        return ProviderProtocolError(f"{self._upstream.label} sent {what}")

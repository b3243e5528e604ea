"""How the two families spell an answer on the wire."""

from typing import Any, Protocol

import orjson


class Wire(Protocol):
    content_type: str

    def text(self, text: str) -> bytes: ...
    def thinking(self, text: str) -> bytes: ...
    def end(self, reason: str, prompt_tokens: int, tokens: int) -> bytes: ...
    def error(self, message: str) -> bytes: ...
    def odd(self, content: Any) -> bytes: ...
    def line(self, payload: bytes) -> bytes: ...


class OllamaWire:
    """NDJSON of /api/chat."""

    content_type = "application/x-ndjson"

    def __init__(self, model: str) -> None:
        self._head = b'{"model":%b,"created_at":"2026-11-24T08:00:00.000000Z","message":' % orjson.dumps(model)

    def text(self, text: str) -> bytes:
        return b'%b{"role":"assistant","content":%b},"done":false}\n' % (self._head, orjson.dumps(text))

    def thinking(self, text: str) -> bytes:
        message = orjson.dumps({"role": "assistant", "content": "", "thinking": text})
        return b'%b%b,"done":false}\n' % (self._head, message)

    def end(self, reason: str, prompt_tokens: int, tokens: int) -> bytes:
        counts = orjson.dumps(
            {
                "done_reason": reason,
                "total_duration": 4_883_583_458,
                "load_duration": 1_334_875,
                "prompt_eval_count": prompt_tokens,
                "prompt_eval_duration": 342_546_000,
                "eval_count": tokens,
                "eval_duration": 4_535_599_000,
            }
        )[1:]
        return b'%b{"role":"assistant","content":""},"done":true,%b\n' % (self._head, counts)

    def error(self, message: str) -> bytes:
        return orjson.dumps({"error": message}) + b"\n"

    def odd(self, content: Any) -> bytes:
        return b'%b{"role":"assistant","content":%b},"done":false}\n' % (self._head, orjson.dumps(content))

    def line(self, payload: bytes) -> bytes:
        return payload + b"\n"


class OpenAIWire:
    """SSE of /v1/chat/completions."""

    content_type = "text/event-stream"

    def __init__(self, model: str, *, include_usage: bool, reasoning: str) -> None:
        self._include_usage = include_usage
        self._reasoning = reasoning
        self._thought = False
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_764_000_000, "model": model}
        self._head = b"data: " + orjson.dumps(head)[:-1] + b',"choices":['

    def _choice(self, delta: Any, reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return b'%b%b],"usage":null}\n\n' % (self._head, orjson.dumps(choice))

    def text(self, text: str) -> bytes:
        if self._thought and self._reasoning in ("inline", "lone"):
            self._thought = False
            text = f"</think>\n\n{text}" if self._reasoning == "inline" else f"\n</think>\n\n{text}"
        return self._choice({"content": text})

    def thinking(self, text: str) -> bytes:
        if self._reasoning in ("inline", "lone"):
            text = text if self._thought or self._reasoning == "lone" else f"<think>{text}"
            self._thought = True
            return self._choice({"content": text})
        return self._choice({self._reasoning: text, "content": None})

    def end(self, reason: str, prompt_tokens: int, tokens: int) -> bytes:
        return self.finish(reason) + self.usage(prompt_tokens, tokens) + b"data: [DONE]\n\n"

    def finish(self, reason: str) -> bytes:
        return self._choice({}, reason)

    def usage(self, prompt_tokens: int, tokens: int) -> bytes:
        if not self._include_usage:
            return b""
        usage = {"prompt_tokens": prompt_tokens, "completion_tokens": tokens, "total_tokens": prompt_tokens + tokens}
        return b'%b],"usage":%b}\n\n' % (self._head, orjson.dumps(usage))

    def error(self, message: str) -> bytes:
        return self.line(orjson.dumps({"error": {"message": message, "type": "server_error", "code": 500}}))

    def odd(self, content: Any) -> bytes:
        return self._choice({"content": content})

    def line(self, payload: bytes) -> bytes:
        return b"data: " + payload + b"\n\n"

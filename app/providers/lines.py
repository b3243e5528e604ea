"""Bytes of a stream to its lines, however they are cut into chunks."""

from typing import Any

import orjson

from app.providers.errors import ProviderProtocolError

MAX_LINE = 1024 * 1024
_BOM = b"\xef\xbb\xbf"


class LineSplitter:
    """Lines without their `\\n`. Linear in the bytes, also for a long line that comes byte by byte."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes."""
        if b"\n" not in chunk:
            self._keep(chunk)
            return []
        *lines, rest = chunk.split(b"\n")
        if self._parts:
            lines[0] = b"".join((*self._parts, lines[0]))
            self._parts.clear()
            self._size = 0
        if len(chunk) + len(lines[0]) > MAX_LINE and any(len(line) > MAX_LINE for line in lines):
            raise too_long()
        self._keep(rest)
        return lines

    def rest(self) -> bytes:
        """The unterminated last line."""
        return b"".join(self._parts)

    def _keep(self, part: bytes) -> None:
        if part:
            self._parts.append(part)
            self._size += len(part)
            if self._size > MAX_LINE:
                raise too_long()


class EventSplitter:
    """The data of server-sent events: comments, other fields, BOM, CR and CRLF are dealt with.

    What stands there without being an event: a line of JSON is taken for one, whatever is wrong with its frame. An
    event named `error` comes as an object with that key.
    """

    def __init__(self) -> None:
        self._lines = LineSplitter()
        self._data: list[bytes] = []
        self._size = 0
        self._name = b""
        self._ended_with_cr = False
        self._is_first = True

    def feed(self, chunk: bytes) -> list[bytes]:
        """The data of the events that `chunk` completes."""
        if self._ended_with_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
            self._ended_with_cr = False
        if b"\r" in chunk:
            self._ended_with_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        elif chunk:
            self._ended_with_cr = False
        return self._events(self._lines.feed(chunk))

    def rest(self) -> list[bytes]:
        """At the end of the stream: the event whose blank line is missing. A half line is dropped."""
        return self._events([b""])

    def _events(self, lines: list[bytes]) -> list[bytes]:
        events: list[bytes] = []
        data = self._data
        for line in lines:
            if self._is_first:
                self._is_first = False
                line = line.removeprefix(_BOM)
            if not line:
                if data:
                    whole = data[0] if len(data) == 1 else b"\n".join(data)
                    events.append(whole if self._name != b"error" else _as_error(whole))
                    data.clear()
                    self._size = 0
                self._name = b""
            elif line.startswith(b"event:"):
                self._name = line[6:].strip()
            elif line.startswith(b"{") and not data:
                events.append(line)
            elif line.startswith((b"data:", b"error:")):  # `error:` is how older llama.cpp spells one
                value = line.split(b":", 1)[1].removeprefix(b" ")
                data.append(value)
                self._size += len(value) + 1
                if self._size > MAX_LINE:
                    raise too_long()
        return events


def _as_error(data: bytes) -> bytes:
    try:
        told: Any = orjson.loads(data)
        return orjson.dumps(told if isinstance(told, dict) and "error" in told else {"error": told})
    except (orjson.JSONDecodeError, TypeError):  # the latter for what is nested too deeply
        return orjson.dumps({"error": data.decode(errors="replace")})


def too_long() -> ProviderProtocolError:
    return ProviderProtocolError("The model server sent a line of more than 1 MiB.")

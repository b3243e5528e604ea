"""Server-sent events, as a program reads them."""

from dataclasses import dataclass

import orjson


@dataclass(frozen=True, slots=True)
class Event:
    """`id` None: it does not move the position."""

    id: int | None
    name: str
    data: dict[str, object]

    def text(self, field: str = "text") -> str:
        return str(self.data.get(field) or "")


class EventReader:
    """Bytes as they come to events, however they are cut. `retry` is the server's wish, in seconds."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self.retry = 1.0

    def feed(self, chunk: bytes) -> list[Event]:
        self._rest += chunk
        if b"\n\n" not in chunk and b"\n\n" not in self._rest[-len(chunk) - 1 :]:
            return []
        *blocks, rest = bytes(self._rest).split(b"\n\n")
        self._rest = bytearray(rest)
        return [event for block in blocks if (event := self._event(block.decode())) is not None]

    def _event(self, block: str) -> Event | None:
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line and not line.startswith(":"))
        if "retry" in fields:
            self.retry = int(fields["retry"]) / 1000
        if "event" not in fields:
            return None
        number = fields.get("id")
        return Event(int(number) if number else None, fields["event"], orjson.loads(fields.get("data") or "{}"))

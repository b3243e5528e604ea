"""Judges what viewers saw of one job: a history of operations in, a list of broken promises out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from app.jobs.events import LogText

TEXT = ("delta", "thinking", "snapshot", "restart")


@dataclass(frozen=True, slots=True)
class Op:
    """`invoke`: came at position `id`; `event`: was shown one; `ok`: came to its end; `info`: cut; `fail`: refused."""

    viewer: str
    kind: Literal["invoke", "event", "ok", "info", "fail"]
    id: int | None = None
    event: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def check(history: Sequence[Op], log: Sequence[tuple[int, str, dict[str, Any]]], content: str) -> list[str]:
    """`log` is all that was ever committed, (id, event, data); `content` what the message came to."""
    committed = {number: (event, data) for number, event, data in log}
    found = []
    for name in dict.fromkeys(op.viewer for op in history):
        viewer = _Viewer(name, committed, content)
        for op in [op for op in history if op.viewer == name]:
            viewer.take(op)
        found += viewer.broken
    return found


class _Viewer:
    def __init__(self, name: str, committed: dict[int, tuple[str, dict[str, Any]]], content: str) -> None:
        self._name, self._committed, self._content = name, committed, content
        self._position: int | None = None
        self._text = LogText()
        self._is_done = False
        self.broken: list[str] = []

    def take(self, op: Op) -> None:
        if op.kind == "invoke":
            self._come(op.id or 0)
        elif op.kind == "event":
            self._see(op)
        elif op.kind == "ok" and not self._is_done:
            self._blame("ended without done")

    def _come(self, position: int) -> None:
        if self._position is None:  # who comes in the middle has what was written by then
            for number in range(1, position + 1):
                self._text.apply(*self._committed.get(number, ("", {})))
        elif position != self._position:
            self._blame(f"came back at {position} with {self._position} seen")
        self._position, self._is_done = position, False

    def _see(self, op: Op) -> None:
        if self._is_done:
            self._blame(f"{op.event} after done")
        if op.id is None:
            if op.event not in ("status", "reconnect"):
                self._blame(f"{op.event} without a number")
            return
        if op.event == "snapshot":
            if op.id < min(self._position or 0, max(self._committed) - 1):  # `done` follows by itself
                self._blame(f"a snapshot of {op.id} back from {self._position}")
        elif op.id != (self._position or 0) + 1 and not (op.event == "done" and op.id == self._position):
            self._blame(f"{op.event} {op.id} after {self._position}")
        event, data = self._committed.get(op.id, ("", {}))
        if op.event != "snapshot" and (op.event != event or (op.event in TEXT and op.data != data)):
            self._blame(f"{op.event} {op.id} was never committed")
        self._text.apply(op.event, op.data)
        self._position, self._is_done = op.id, op.event == "done"
        if self._is_done and self._text.content != self._content:
            self._blame(f"ends with {self._text.content!r}")

    def _blame(self, what: str) -> None:
        self.broken.append(f"{self._name}: {what}")

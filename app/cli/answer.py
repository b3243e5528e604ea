"""An answer on the terminal while it is being written; in a pipe only when it is finished."""

import sys
from types import TracebackType
from typing import Any

import typer

from app.cli.event_stream import Event
from app.cli.terminal import Exit

# A model must not move the cursor, change the title or the colours of somebody's terminal.
_HARMLESS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])
_STANDS = {
    "waiting": "the model server is busy with other answers …",
    "loading": "the model is loading …",
    "reading": "the model is reading your prompt …",
}
del _HARMLESS[ord("\n")], _HARMLESS[ord("\t")]


class Answer:
    """Takes a job's events. Text that stands on the screen stays there; what replaces it comes below."""

    def __init__(self, conversation: str, *, is_live: bool) -> None:
        self.status = ""
        self.code: int = Exit.failed
        self._conversation = conversation
        self._is_live = is_live
        self._shown = ""
        self._thought = ""
        self._waiting: Any = None

    def __enter__(self) -> "Answer":
        if sys.stderr.isatty():
            from rich.console import Console

            self._waiting = Console(stderr=True).status("waiting …")
            self._waiting.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stop_waiting()

    def take(self, event: Event) -> None:
        if event.name == "delta":
            self._show(event.text())
        elif event.name == "thinking":
            self._think(event.text())
        elif event.name == "snapshot":
            self._replace(event.text("content"))
        elif event.name == "restart":
            self._begin_anew(event.text("reason"))
        elif event.name == "status":
            self._tell_place(event.data.get("position"), event.data.get("phase"), event.data.get("reason"))
        elif event.name == "done":
            self._finish(event.data["message"])

    def tell_lost(self) -> None:
        """Where somebody looks: the answer goes on, here or without us."""
        text = "— the connection is lost; trying again —"
        if self._waiting is not None:
            self._waiting.console.print(text, style="dim")
        elif sys.stderr.isatty():
            self._note(f"\n{text}" if self._is_live and (self._shown or self._thought) else text)

    def _show(self, text: str) -> None:
        if text and self._is_live:
            self._stop_waiting()
            if self._thought and not self._shown:
                self._note("")
            typer.echo(text.translate(_HARMLESS), nl=False)
        self._shown += text

    def _think(self, text: str) -> None:
        if self._is_live:
            self._stop_waiting()
            typer.secho(text.translate(_HARMLESS), nl=False, err=True, dim=True)
        self._thought += text

    def _replace(self, content: str) -> None:
        if not content.startswith(self._shown):
            self._begin_anew("")
        self._show(content[len(self._shown) :])

    def _begin_anew(self, reason: str) -> None:
        if self._is_live and (self._shown or self._thought):
            self._note(f"\n— begun anew{f' ({reason})' if reason else ''} —")
        self._shown = self._thought = ""

    def _tell_place(self, place: object, phase: object, reason: object) -> None:
        if self._waiting is None:
            return
        if isinstance(reason, dict):
            from rich.text import Text

            self._waiting.update(Text(f"{str(reason.get('message')).translate(_HARMLESS)} Trying again …"))
        elif isinstance(place, int):
            self._waiting.update(f"waiting behind {place} …" if place > 1 else "waiting …")
        else:
            self._waiting.update(_STANDS.get(str(phase), "waiting …"))

    def _finish(self, message: dict[str, Any] | Any) -> None:
        self.status = message["status"]
        self.code = Exit.failed if self.status == "failed" else 0
        if self._is_live:
            self._replace(message["content"])
            typer.echo()
        else:
            self._stop_waiting()
            typer.echo(message["content"])
        if message["error"] and self.status == "failed":
            typer.secho(message["error"]["message"], err=True, fg="red")
        if message["finish_reason"] == "length":
            self._note("— cut: the model's limit of tokens was reached —")
        if self._is_live:
            self._note(f"teahouse ask --conversation {self._conversation} …")

    def _note(self, text: str) -> None:
        typer.secho(text, err=True, dim=True)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None

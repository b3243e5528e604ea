"""Thinking that comes inside the text, as `<think>…</think>` at its beginning."""

from collections.abc import Iterator

from app.providers.events import TextDelta, ThinkingDelta

_OPEN, _CLOSE = "<think>", "</think>"


class InlineThinking:
    """Takes deltas, tells text from thinking; a tag may be split over any number of them."""

    def __init__(self, *, may_think: bool) -> None:
        self._state = "start" if may_think else "text"
        self._held = ""

    @property
    def is_past(self) -> bool:
        """From here on everything is text."""
        return self._state == "text"

    def feed(self, text: str) -> Iterator[TextDelta | ThinkingDelta]:
        self._held += text
        if self._state == "start":
            seen = self._held.lstrip()
            if seen.startswith(_OPEN):
                self._state, self._held = "opened", seen[len(_OPEN) :]
            elif not _OPEN.startswith(seen):
                self._state = "text"
        if self._state == "opened":
            self._held = self._held.lstrip("\n")
            if self._held:
                self._state = "thinking"
        if self._state == "thinking":
            yield from self._thought()
        if self._state == "after":
            self._held = self._held.lstrip("\n")
            if self._held:
                self._state = "text"
        if self._state == "text" and self._held:
            yield TextDelta(self._held)
            self._held = ""

    def finish(self) -> Iterator[TextDelta | ThinkingDelta]:
        """What was held back in case it were a tag."""
        if self._held:
            yield ThinkingDelta(self._held) if self._state == "thinking" else TextDelta(self._held)
            self._held = ""

    def _thought(self) -> Iterator[ThinkingDelta]:
        thought, tag, rest = self._held.partition(_CLOSE)
        if tag:
            self._state, self._held = "after", rest
        else:
            cut = len(thought) - _overlap(thought)
            thought, self._held = thought[:cut], thought[cut:]
        if thought:
            yield ThinkingDelta(thought)


def _overlap(text: str) -> int:
    """How much of the text's end may be the beginning of the closing tag."""
    return next((size for size in range(len(_CLOSE) - 1, 0, -1) if text.endswith(_CLOSE[:size])), 0)

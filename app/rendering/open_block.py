"""The block that is being written: rendered anew now and then as it grows, its last words shown as text meanwhile."""

import html
import re

from app.rendering.highlight import code_block
from app.rendering.pipeline import Account, render_part

SMALL = 32  # characters up to which a block is always rendered anew
STEP, GROWTH = 20, 0.25  # a longer one is when it has grown by so many characters, and by so much
LONGEST_MARKER = 12

_FENCE = re.compile(r"(?:[ \t]*\n)* {0,3}(?P<mark>`{3,}(?=[^`\n]*\n)|~{3,})(?P<info>[^\n]*)\n")
# Text that can mean nothing but itself: neither mark-up, nor part of an address, nor the end of a line.
_WORDS = re.compile(r"(?:[^\n*_`~$\\\[\]()<|:/@.&]|[.:&](?=[ \t]))*")
_ENDS = re.compile(r"(?:</(?:p|li|ul|ol|blockquote|h[1-6])>\s*)+$")
_ENDS_OF_UNCLOSED = re.compile(r"(?:</(?:p|li|ul|ol|blockquote|h[1-6]|strong|em|s|code)>\s*)+$")
_UNSEEN = str.maketrans("", "", "*`")  # better not seen for a moment than seen for a moment
_LONGEST_END = 400
_MARKS = ("```", "``", "`", "$$", "~~", "**", "__", "*", "_")


class OpenBlock:
    def __init__(self, id_prefix: str) -> None:
        self._prefix = id_prefix
        self.text = ""
        self._is_blank = True
        self._closing: re.Pattern[str] | None = None  # of the fence that the text begins with
        self._code = ""
        self.fence_end = 0  # where the line after the fence begins
        self._blocks: list[str] = []
        self._rendered = 0  # so much of the text is in the blocks; the rest is put at `_at` of the last one
        self._at = 0
        self._exact = False  # plain words put there are what rendering would make of them

    @property
    def is_fence(self) -> bool:
        return self._closing is not None and not self.fence_end

    def add(self, piece: str) -> None:
        before = len(self.text)
        self.text += piece
        self._is_blank = self._is_blank and not piece.strip()
        if self._closing is None and "\n" in piece:
            fence = _FENCE.match(self.text)
            if fence:
                mark = fence["mark"]
                self._closing = re.compile(rf"^ {{0,3}}{re.escape(mark[0])}{{{len(mark)},}}[ \t]*\n", re.MULTILINE)
                self._frame = code_block(fence["info"], "\0").split("\0")
                before = fence.end()
                piece = self.text[before:]
        if self._closing and not self.fence_end:
            self._code += html.escape(piece, quote=False)
            end = self._closing.search(self.text, self.text.rfind("\n", 0, before) + 1)
            self.fence_end = end.end() if end else 0

    def html(self) -> list[str]:
        if self._is_blank:
            return []
        if self.is_fence:
            return [self._code.join(self._frame)]
        if self._is_due():
            self._render()
        tail = self.text[self._rendered :]
        if not tail.strip():
            return self._blocks
        if not self._exact:
            tail = tail.translate(_UNSEEN)
        *blocks, last = self._blocks or [""]
        return [*blocks, last[: self._at] + html.escape(tail, quote=False) + last[self._at :]]

    def _is_due(self) -> bool:
        tail = len(self.text) - self._rendered
        if not self._rendered:
            return True
        if self._exact and _WORDS.fullmatch(self.text, self._rendered):
            return False
        return len(self.text) <= SMALL or tail >= max(STEP, GROWTH * len(self.text))

    def _render(self) -> None:
        shown = _with_marks_closed(self.text)
        self._blocks = render_part(shown, Account(), id_prefix=self._prefix)
        self._rendered = len(self.text.rstrip(" \n"))
        last = self._blocks[-1] if self._blocks else ""
        ends = (_ENDS if shown == self.text else _ENDS_OF_UNCLOSED).search(last, max(0, len(last) - _LONGEST_END))
        self._at = ends.start() if ends else len(last)
        # A first word may yet turn out to be a marker, as `1` does with a dot.
        self._exact = ends is not None and not self.text.endswith("\n") and self._rendered > LONGEST_MARKER


def _with_marks_closed(text: str) -> str:
    """What is open at the end closed, so that half an emphasis looks like one."""
    last = text[text.rfind("\n\n") + 1 :]
    for mark in _MARKS:
        if last.count(mark) % 2:
            stripped = text.rstrip()
            return stripped[: -len(mark)] if stripped.endswith(mark) else stripped + mark
        last = last.replace(mark, "")
    return text

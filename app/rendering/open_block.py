"""The block that is being written: rendered anew now and then as it grows, its last words shown as text meanwhile."""

import html
import re
from dataclasses import replace

from app.rendering.cjk import without_breaks
from app.rendering.highlight import code_block
from app.rendering.pipeline import Account, render_part

SMALL = 32  # characters up to which a block is always rendered anew
STEP, GROWTH = 48, 0.25  # a longer one is when it has grown by so many characters, and by so much
LONGEST_MARKER = 12

_FENCE = re.compile(r"(?:[ \t]*\n)* {0,3}(?P<mark>`{3,}(?=[^`\n]*\n)|~{3,})(?P<info>[^\n]*)\n")
# Text that can mean nothing but itself: neither mark-up, nor part of an address, nor the end of a line.
_WORDS = re.compile(r"(?:[^\n*_`~$\\\[\]()<|:/@.&]|[.:&](?=[ \t]))*")
_ENDS = re.compile(r"(?:</(?:p|li|ul|ol|blockquote|h[1-6])>\s*)+$")
_ENDS_OF_UNCLOSED = re.compile(r"(?:</(?:p|li|ul|ol|blockquote|h[1-6]|strong|em|s|code)>\s*)+$")
_UNSEEN = str.maketrans("", "", "*`")  # better not seen for a moment than seen for a moment
_LONGEST_END = 400
_LONG_LIST = 300
_ITEM = re.compile(r"(?:[-+*]|[0-9]{1,9}[.)])[ \t]+\S")
_NEXT_ITEM = re.compile(r"\n(?=(?:[-+*]|[0-9]{1,9}[.)])[ \t]+\S)")
_LIST = re.compile(r"<(ul|ol)(?: [^>]*)?>\n")
_MARKS = ("```", "``", "`", "$$", "~~", "**", "__", "*", "_")


class OpenBlock:
    def __init__(self, id_prefix: str, account: Account) -> None:
        self._prefix = id_prefix
        self._account = replace(account)  # what is shown meanwhile has the bounds of what stays, and is not counted
        self.text = ""
        self._is_blank = True
        self._may_be_fence = True  # until the first line that is not blank has ended
        self._closing: re.Pattern[str] | None = None  # of the fence that the text begins with
        self._code = ""
        self.fence_end = 0  # where the line after the fence begins
        self._blocks: list[str] = []
        self._items: list[str] = []  # HTML of a long list's items that look finished
        self._items_end = 0
        self._rendered = 0  # so much of the text is in the blocks; the rest is put at `_at` of the last one
        self._at = 0
        self._tried = 0  # length of the text when it was last rendered, blanks at its end included
        self._words_end = 0  # so far what follows the rendered part is plain words: nothing is read twice
        self._exact = False  # plain words put there are what rendering would make of them

    @property
    def is_fence(self) -> bool:
        return self._closing is not None and not self.fence_end

    def add(self, piece: str) -> None:
        before = len(self.text)
        self.text += piece
        self._is_blank = self._is_blank and not piece.strip()
        if self._may_be_fence and not self._is_blank and "\n" in piece:
            fence = _FENCE.match(self.text)
            self._may_be_fence = not fence and "\n" not in self.text.lstrip()
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
        if not self._rendered and self.text[0].isalpha() and self._goes_on_in_words():
            return [f"<p>{html.escape(self.text, quote=False)}</p>\n"]
        if self._is_due():
            self._render()
        tail = without_breaks(self.text[self._rendered - 1 :])[1:]
        if not tail.strip():
            return self._blocks
        if not self._exact:
            tail = tail.translate(_UNSEEN)
        *blocks, last = self._blocks or [""]
        return [*blocks, last[: self._at] + html.escape(tail, quote=False) + last[self._at :]]

    def _goes_on_in_words(self) -> bool:
        found = _WORDS.match(self.text, self._words_end)
        self._words_end = found.end() if found else self._words_end
        return self._words_end == len(self.text)

    def _is_due(self) -> bool:
        tail = len(self.text) - self._tried
        if not self._rendered:
            return True
        if self._exact and self._goes_on_in_words():
            return False
        size = len(self.text) - self._items_end
        return size <= SMALL or tail >= max(STEP, GROWTH * size)

    def _render(self) -> None:
        self._set_items_aside()
        rest = self.text[self._items_end :]
        shown = _with_marks_closed(rest)
        self._blocks = _joined(self._items, render_part(shown, replace(self._account), id_prefix=self._prefix))
        self._tried = len(self.text)
        self._rendered = self._words_end = len(self.text.rstrip(" \n"))
        last = self._blocks[-1] if self._blocks else ""
        ends = (_ENDS if shown == rest else _ENDS_OF_UNCLOSED).search(last, max(0, len(last) - _LONGEST_END))
        self._at = ends.start() if ends else len(last)
        # A first word may yet turn out to be a marker, as `1` does with a dot.
        self._exact = ends is not None and not self.text.endswith("\n") and self._rendered > LONGEST_MARKER

    def _set_items_aside(self) -> None:
        """All items of a list but the last are rendered once for display, and once for good when the list ends."""
        start = self._items_end
        if len(self.text) - start > _LONG_LIST and _ITEM.match(self.text, start):
            ends = [found.end() for found in _NEXT_ITEM.finditer(self.text, start)]
            if ends:
                items = render_part(self.text[start : ends[-1]], self._account, id_prefix=self._prefix)
                self._items, self._items_end = _joined(self._items, items), ends[-1]


def _joined(items: list[str], more: list[str]) -> list[str]:
    """Two halves of a list as one, if they are halves of one."""
    begins = _LIST.match(more[0]) if more else None
    end = f"</{begins[1]}>\n" if begins else ""
    if not begins or not items or not items[-1].endswith(end):
        return items + more
    return [*items[:-1], items[-1].removesuffix(end) + more[0][begins.end() :], *more[1:]]


def _with_marks_closed(text: str) -> str:
    """What is open at the end closed, so that half an emphasis looks like one."""
    last = text[text.rfind("\n\n") + 1 :]
    for mark in _MARKS:
        if last.count(mark) % 2:
            stripped = text.rstrip()
            return stripped[: -len(mark)] if stripped.endswith(mark) else stripped + mark
        last = last.replace(mark, "")
    return text

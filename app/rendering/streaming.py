"""The same HTML, piece by piece: closed blocks are rendered once, only the open last one anew as it grows.

In Markdown a top-level block is closed as soon as another begins below it. What later text can still change above
(definitions of links and footnotes) is put right at the end, where the whole text is rendered once.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.rendering.highlight import code_block
from app.rendering.markdown import has_big_table, parser, top_level
from app.rendering.pipeline import MAX_RENDERED, as_text, clean_text, render_blocks, render_uncached

_FENCE = re.compile(r" {0,3}(?P<mark>`{3,}(?=[^`\n]*\n)|~{3,})(?P<info>[^\n]*)\n")
_DEFINITION = re.compile(r"^[ >]{0,12}\[[^\]\n]+\]:", re.MULTILINE)
_PLAIN = re.compile(r"[^\n*_`~$\\\[\]()<>|#!:/@.&-]*")  # text that cannot mean anything but itself
# Where a block may begin below another: after a blank line, or with a mark that needs none.
# To overlook one is harmless.
_MAY_BEGIN = re.compile(r"\n[ \t]*\n[^\n]*\S[^\n]*\n|\n {0,3}(?:#|`{3}|~{3}|>)[^\n]*\n")
_BLOCK_ENDS = re.compile(r"(?:</(?:p|li|ul|ol|blockquote|h[1-6]|td|tr|tbody|table|div)>\s*)+$")
_CLOSERS = ("```", "``", "`", "$$", "~~", "**", "__", "*", "_")
GROWTH = 0.34  # the open block is rendered anew when it has grown by so much …
LEAST_GROWTH = 48  # … or by so many characters


@dataclass(frozen=True, slots=True)
class Update:
    """Drop your blocks from index `from_` on, append these."""

    from_: int
    blocks: list[str]


class StreamingRenderer:
    """One growing text. Not for two threads at once."""

    def __init__(self, id_prefix: str = "") -> None:
        self._prefix = id_prefix
        self._text: list[str] = []  # everything, as it came
        self._tail = ""  # source of the open block
        self._closed = 0  # blocks that will not change
        self._rendered = 0  # characters of the tail that its HTML has rendered
        self._whole = True  # the tail's HTML has the rest as plain text, nothing raw
        self._size = 0
        self._carry = ""  # a \r that may be half of a line end
        self.blocks: list[str] = []

    def feed(self, piece: str) -> Update:
        before = self._closed
        self._text.append(piece)
        piece = self._carry + piece
        self._carry = "\r" if piece.endswith("\r") else ""
        piece = clean_text(piece.removesuffix("\r"))
        self._size += len(piece)
        if piece:
            self._tail += piece
            self._advance(piece)
        return Update(before, self.blocks[before:])

    def finish(self) -> Update:
        """The end: the whole text as `render_blocks` has it, and what of it differs from what is shown."""
        shown = list(self.blocks)
        if self._carry:
            self.feed("\n")
        self.blocks = self._final("".join(self._text))
        same = 0
        while same < min(len(shown), len(self.blocks)) and shown[same] == self.blocks[same]:
            same += 1
        self._closed = len(self.blocks)
        return Update(same, self.blocks[same:])

    def _final(self, text: str) -> list[str]:
        plain = self._size <= MAX_RENDERED and not _DEFINITION.search(clean_text(text)) and not has_big_table(text)
        if not plain:
            return render_blocks(text, id_prefix=self._prefix)
        last = render_uncached(self._tail, id_prefix=self._prefix) if self._tail else []
        return [*self.blocks[: self._closed], *last]

    def _advance(self, piece: str) -> None:
        if self._size > MAX_RENDERED:
            self._show([as_text(self._tail)])
            return
        if "\n" in piece and _MAY_BEGIN.search(self._tail, max(0, self._tail.rfind("\n", 0, -len(piece)) - 1)):
            self._close_blocks()
        fence = _FENCE.match(self._tail)
        if fence and not _closing(fence["mark"]).search(self._tail, fence.end()):
            self._show([code_block(fence["info"], html.escape(self._tail[fence.end() :], quote=False))])
            return
        unrendered = len(self._tail) - self._rendered
        plain = self._whole and self._rendered and _PLAIN.fullmatch(piece)
        due = unrendered >= max(LEAST_GROWTH, GROWTH * len(self._tail)) or len(self._tail) <= LEAST_GROWTH
        if due and not plain:
            self._render_tail()
        else:
            self._whole = self._whole and bool(plain)
            self._append(piece if unrendered > len(piece) or self._rendered else self._tail)

    def _append(self, piece: str) -> None:
        """Show a piece as plain text at the end of the open block; cheap, and right for most of them."""
        block = self.blocks[self._closed] if len(self.blocks) > self._closed else "<p></p>\n"
        ends = _BLOCK_ENDS.search(block)
        at = ends.start() if ends else len(block)
        self._show([block[:at] + html.escape(piece, quote=False) + block[at:]])

    def _close_blocks(self) -> None:
        """Render for good what stands above the last block. Only whole lines count: `---` may yet become `---a`."""
        whole = self._tail[: self._tail.rfind("\n") + 1]
        tokens = parser(tables=not has_big_table(whole), footnotes=False).parse(whole, {})
        starts = [tokens[first].map[0] for first, _ in top_level(tokens) if tokens[first].map]
        lines = self._tail.split("\n")
        for start in starts[1:]:
            if _opens_maths(lines[starts[0] : start]):
                return
        if len(starts) < 2:
            return
        closed = "\n".join(lines[: starts[-1]]) + "\n"
        self._show(render_uncached(closed, id_prefix=self._prefix, footnotes=False))
        self._closed = len(self.blocks)
        self._tail = "\n".join(lines[starts[-1] :])
        self._rendered, self._whole = 0, True

    def _render_tail(self) -> None:
        shown = _closed_for_display(self._tail)
        self._show(render_uncached(shown, id_prefix=self._prefix, footnotes=False))
        self._rendered = len(self._tail)
        self._whole = shown == self._tail

    def _show(self, blocks: list[str]) -> None:
        self.blocks[self._closed :] = blocks


def _closing(mark: str) -> re.Pattern[str]:
    return re.compile(rf"^ {{0,3}}{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$", re.MULTILINE)


def _opens_maths(lines: Sequence[str]) -> bool:
    """Whether a formula begins in these lines that may still be closed by a later one: it takes all between."""
    text = "\n".join(lines)
    for opening, closing in (("\\[", "\\]"), ("$$", "$$")):
        at = text.rfind(opening) if opening != closing or text.count(opening) % 2 else -1
        if at >= 0 and closing not in text[at + 2 :] and not re.search(r"\n[ \t]*\n", text[at:] + "\n"):
            return True
    return False


def _closed_for_display(tail: str) -> str:
    """The open block with what it left open at its end closed, so that half an emphasis looks like one."""
    last = tail[tail.rfind("\n\n") + 1 :]
    for mark in _CLOSERS:
        if last.count(mark) % 2:
            if last.rstrip().endswith(mark):
                return tail.rstrip()[: -len(mark)]
            return tail.rstrip() + mark
        last = last.replace(mark, "")
    return tail

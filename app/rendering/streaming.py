"""The same HTML, piece by piece: closed blocks are rendered once, only the open last one anew as it grows.

In Markdown a top-level block is closed as soon as another begins below it. What later text can still change above
(definitions of links and footnotes) is put right at the end, where the whole text is rendered once.
"""

import re
from dataclasses import dataclass

from app.rendering.open_block import OpenBlock
from app.rendering.open_inline import Effort
from app.rendering.pieces import settled
from app.rendering.pipeline import (
    MAX_RENDERED,
    PIECE,
    Account,
    cache,
    render_blocks,
    render_part,
    render_piece,
    render_upto,
)
from app.rendering.source import PLAIN_BLOCK, Cleaner, as_text, plain_blocks

AGAIN, ALLOWANCE = 2.5, 1024  # characters that may be read again, for each that comes and for the first
ALWAYS, GROWTH = 1024, 0.5  # a longer text that turned out to be one block is searched again when so much longer

# What begins a line at the margin after a blank one, be it only its first character, closes all above …
_CLOSES = re.compile(r"\n[ \t]*\n(?=[^\s\-+*0-9])|\n(?:#{1,6}[ \t]|`{3}|~{3})[^\n]*\n")
# … but a list or a quotation may go on.
_MAY_CLOSE = re.compile(r"\n[ \t]*\n(?=[\-+*0-9])[^\n]*\n|\n(?=>)[^\n]*\n")


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
        self._cleaner = Cleaner()
        self._account = Account()
        self._effort = Effort(AGAIN, ALLOWANCE)
        self._room = MAX_RENDERED  # characters that are still read as Markdown
        self._plain = ""  # what came after them and is not closed yet
        self._may_define = False
        self._open = OpenBlock(id_prefix, self._account, self._effort)
        self._tried = 0  # length of the open text when it was last searched for blocks
        self._closed = 0  # blocks that will not change
        self.blocks: list[str] = []

    def feed(self, piece: str) -> Update:
        before = self._closed
        self._text.append(piece)
        self._take(self._cleaner.feed(piece))
        return Update(before, self.blocks[before:])

    def finish(self) -> Update:
        """The end: the whole text as `render_blocks` has it, and what of it differs from what is shown."""
        shown = list(self.blocks)
        self._take(self._cleaner.finish())
        text = "".join(self._text)
        if self._account.failed or self._may_define:
            self._close(0, render_blocks(text, id_prefix=self._prefix))
        else:
            self._close_rest()
            cache.put(text, self._prefix, self.blocks)
        same = 0
        while same < min(len(shown), len(self.blocks)) and shown[same] == self.blocks[same]:
            same += 1
        return Update(same, self.blocks[same:])

    def _take(self, piece: str) -> None:
        markdown, plain = piece[: self._room], piece[self._room :]
        self._room -= len(markdown)
        if markdown:
            self._advance(markdown)
        if plain:
            self._close_markdown()
            self._take_plain(plain)

    def _take_plain(self, piece: str) -> None:
        self._plain += piece
        whole = len(self._plain) - len(self._plain) % PLAIN_BLOCK
        self._close(self._closed, plain_blocks(self._plain[:whole]))
        self._plain = self._plain[whole:]
        self._show([as_text(self._plain)] if self._plain else [])

    def _advance(self, piece: str) -> None:
        new = len(self._open.text)
        self._effort.earn(len(piece))
        self._open.add(piece)
        while len(self._open.text) > PIECE:
            self._close_piece()
            new = 0
        if not self._open.is_fence:
            # What defines something changes blocks above it; the label may have begun in an earlier piece.
            self._may_define = self._may_define or self._open.text.find("]:", max(0, new - 1)) >= 0
            if self._may_have_closed(new):
                self._close_blocks()
        self._show(self._open.html())

    def _may_have_closed(self, new: int) -> bool:
        text = self._open.text
        if self._open.fence_end:
            return not text[self._open.fence_end :].isspace() and len(text) > self._open.fence_end
        since = max(0, text.rfind("\n", 0, max(0, text.rfind("\n", 0, new))))
        grown = len(text) >= self._tried * (1 + GROWTH)
        if _CLOSES.search(text, since):
            return grown or len(text) < ALWAYS
        return grown and _MAY_CLOSE.search(text, since) is not None

    def _close_blocks(self) -> None:
        """Render for good what stands above the last block. Only whole lines count: `---` may yet become `---a`."""
        text = self._open.text
        self._tried = len(text)
        whole = text[: text.rfind("\n") + 1]
        lines = text.split("\n")
        after_blank = len(lines) > 1 and not lines[-2].strip(" \t")
        fence_end = self._open.fence_end
        after_fence = fence_end > 0 and not text[fence_end : len(whole)].strip() and lines[-1].strip() != ""
        if after_fence or (after_blank and _CLOSES.match("\n\n" + lines[-1])):
            whole += "x\n"  # any line: what it becomes makes no difference to those above
        blocks, last = render_upto(settled(lines), whole, self._account, id_prefix=self._prefix)
        if last:
            self._close(self._closed, blocks)
            self._open = OpenBlock(self._prefix, self._account, self._effort)
            self._tried = 0
            self._open.add("\n".join(lines[last:]))

    def _close_piece(self) -> None:
        text = self._open.text
        self._may_define = self._may_define or "]:" in text
        blocks, rest = render_piece(text, self._account, id_prefix=self._prefix)
        self._close(self._closed, blocks)
        self._open = OpenBlock(self._prefix, self._account, self._effort)
        self._tried = 0
        self._open.add(rest)

    def _close_markdown(self) -> None:
        text, self._open = self._open.text, OpenBlock(self._prefix, self._account, self._effort)
        if text:
            self._close(self._closed, render_part(text, self._account, id_prefix=self._prefix))

    def _close_rest(self) -> None:
        self._close_markdown()
        if self._plain:
            self._close(self._closed, [as_text(self._plain)])
            self._plain = ""

    def _close(self, start: int, blocks: list[str]) -> None:
        self.blocks[start:] = blocks
        self._closed = len(self.blocks)

    def _show(self, blocks: list[str]) -> None:
        self.blocks[self._closed :] = blocks

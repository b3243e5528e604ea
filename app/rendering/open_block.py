"""The block that is being written: its structure as the parser sees it, its last words as `open_inline` shows them."""

import html
import re
from dataclasses import replace
from functools import lru_cache

from app.rendering.highlight import code_block
from app.rendering.leaf import PLACE, Leaf
from app.rendering.open_inline import Effort
from app.rendering.open_leaf import OpenFence, OpenHeader, OpenRow, OpenWords
from app.rendering.pieces import FENCE
from app.rendering.pipeline import Account, render_open, render_part

_FENCE_BEGINS = re.compile(r"\s*(?:`{3,}[^`\n]*|~{3,}[^\n]*)\Z")
_FENCE_ENDS = re.compile(r"(?:\A|(?<=\n))[ >\t]*(?:`+|~+)[ \t]*\Z")
# A last line of which nothing is known yet: it may become a rule, a heading's underline, a table's second line …
_UNDECIDED = re.compile(
    r"[ \t>]*(?:(?:[-+*]|[0-9]{1,9}[.)])[ \t]+)*"
    r"(?:#{1,6}[ \t]*|[-*_+=][-*_+= \t]*|[0-9]{1,9}[.)]?|`+|`{3,}[^`]*|~+|~{3,}.*|[|:][|: \t-]*|-[|:-][|: \t-]*"
    r"|<[^>\n]*|(?:<details>)?[ \t]*<summary>(?:(?!</summary>).)*|<details>[ \t]*"
    r"|\[[ xX]?\]?[ \t]*|\[\^[^\]\s]*\]?|\[[^\]\n]*\]:.*)?"
)
_BARE_DETAILS = re.compile(r"<details>\s*\Z", re.IGNORECASE)
_HEADING = re.compile(r" {0,3}#")
_CLOSING_MARKS = re.compile(r"(?<=[ \t])#+[ \t]*\Z")
_LONG = 120  # characters from which on items of a list and rows of a table are put aside
_ITEM = re.compile(r"(?:[-+*]|[0-9]{1,9}[.)])[ \t]+\S")
_NEXT_ITEM = re.compile(r"\n(?=(?:[-+*]|[0-9]{1,9}[.)])[ \t]+\S)")
_GAP = re.compile(r"[ \t]*\n(?:[ \t]*\n)+(?=\S)")  # a paragraph ends there, whatever follows
_LIST = re.compile(r"<(ul|ol)(?: [^>]*)?>\n")
# One line of a paragraph, a heading, a list or a quotation, whatever stands in it; the first of a table.
_LINE = re.compile(r"(?:[ \t]*\n)* {0,3}((?:#{1,6}|[-+*]|[0-9]{1,9}[.)]|>) )?([^\W\d_][^\n|#]*)")
_HEADER = re.compile(r"(?:[ \t]*\n)* {0,3}\|[^\n\\`$]*[^\s|][^\n\\`$]*")
_BODY, _BODY_END = "<tbody>\n", "</tbody>\n</table></div>\n"

OpenLeaf = OpenFence | OpenHeader | OpenRow | OpenWords


class OpenBlock:
    def __init__(self, id_prefix: str, account: Account, effort: Effort) -> None:
        self._prefix = id_prefix
        self._account = account  # what is shown meanwhile has the bounds of what stays, and is not counted
        self._effort = effort
        self.text = ""
        self._is_blank = True
        self._may_be_fence = True  # until the first line that is not blank has ended
        self._closing: re.Pattern[str] | None = None  # of the fence that the text begins with
        self._code = ""
        self.fence_end = 0  # where the line after the fence begins
        self._aside: list[str] = []  # HTML of a long list's items, or a table's rows, that look finished
        self._aside_end = 0
        self._head = ""  # the first two lines of the table whose rows are put aside
        self._blocks: list[str] = []
        self._taken = 0  # so much of the text is in these and in the leaf
        self._leaf: OpenLeaf | None = None
        self._shown: list[str] = []

    @property
    def is_fence(self) -> bool:
        return self._closing is not None and not self.fence_end

    def add(self, piece: str) -> None:
        before = len(self.text)
        self.text += piece
        self._is_blank = self._is_blank and not piece.strip()
        if self._may_be_fence and not self._is_blank and "\n" in piece:
            fence = FENCE.match(self.text)
            self._may_be_fence = not fence and "\n" not in self.text.lstrip()
            if fence:
                mark = fence["mark"]
                self._closing = re.compile(rf"^ {{0,3}}{re.escape(mark[0])}{{{len(mark)},}}[ \t]*\n", re.MULTILINE)
                self._frame = code_block(fence["info"], PLACE).split(PLACE)
                before = fence.end()
                piece = self.text[before:]
        if self._closing and not self.fence_end:
            self._code += html.escape(piece, quote=False)
            end = self._closing.search(self.text, self.text.rfind("\n", 0, before) + 1)
            self.fence_end = end.end() if end else 0

    def html(self) -> list[str]:
        if self._is_blank or (self._may_be_fence and _FENCE_BEGINS.match(self.text)):
            return []
        if self.is_fence:
            ending = _FENCE_ENDS.search(self._code, self._code.rfind("\n") + 1)
            return [(self._code[: ending.start()] if ending else self._code).join(self._frame)]
        end = self._decided()
        if end > self._taken:
            self._take(end)
            last = self._leaf.html() if self._leaf else None
            # Where nothing can be shown yet, what was shown before stays.
            self._shown = self._shown if last == "" else [*self._blocks, *([last] if last else [])]
        return self._shown

    def _decided(self) -> int:
        """The end of what may be shown: no line of which nothing is known, and no blanks."""
        start = self.text.rfind("\n") + 1
        end = start if _UNDECIDED.fullmatch(self.text, start) else len(self.text)
        if isinstance(self._leaf, OpenFence):
            return end
        if end > start and _HEADING.match(self.text, start):
            marks = _CLOSING_MARKS.search(self.text, start)
            end = marks.start() if marks else end
        details = _BARE_DETAILS.search(self.text, max(0, end - 40), end)
        end = details.start() if details else end
        while end and self.text[end - 1].isspace():
            end -= 1
        return end

    def _take(self, end: int) -> None:
        if self._leaf and self._leaf.take(self.text[self._taken : end]):
            self._taken = end
            return
        gap = _GAP.search(self.text, self._taken, end)
        leaf = self._leaf if isinstance(self._leaf, OpenWords) and self._leaf.is_paragraph else None
        if leaf and gap and leaf.take(self.text[self._taken : gap.start()]):
            self._aside, self._aside_end = [*self._blocks, leaf.finished()], gap.end()
            self._blocks, self._leaf, self._taken = self._aside, None, gap.end()
        if not self._taken or self._effort.allows(end - self._aside_end):
            self._parse(end)
            self._taken = end

    def _parse(self, end: int) -> None:
        self._set_items_aside()
        source = self._head + self.text[self._aside_end : end]
        line = _LINE.fullmatch(source) if not self._head else None
        if line and not (line[1] and self._aside):
            block, leaf = _of_one_line(line[1])
            leaf = replace(leaf, content=line[2].strip())
            self._blocks, self._leaf = self._aside, self._open_leaf(leaf, block, source)
            return
        if not self._head and _HEADER.fullmatch(source):
            self._blocks, self._leaf = self._aside, OpenHeader(source, self._prefix, self._effort)
            return
        blocks, leaf = self._rendered(source)
        if leaf.kind == "paragraph_open" and (row := _second_line(source, leaf.content)):
            table, header = self._rendered(source + row)
            if header.kind == "th_open":
                blocks, leaf = table, header
        blocks = _with_rows(self._aside, blocks) if self._head else _joined(self._aside, blocks)
        if leaf.kind and blocks and PLACE in blocks[-1]:
            self._leaf = self._open_leaf(leaf, blocks.pop(), source)
        else:
            self._leaf = None
        self._blocks = blocks
        self._set_rows_aside(source, leaf)

    def _open_leaf(self, leaf: Leaf, block: str, source: str) -> OpenLeaf:
        if leaf.kind == "fence":
            return OpenFence(leaf, block)
        source = source.rstrip()
        if leaf.table is not None:
            return OpenRow(leaf, block, source, self._prefix, self._effort)
        words = OpenWords(leaf, block, source, self._prefix, self._effort)
        if isinstance(self._leaf, OpenWords):
            words.go_on_from(self._leaf)
        return words

    def _rendered(self, source: str) -> tuple[list[str], Leaf]:
        self._effort.spend(len(source))
        return render_open(source, self._account, id_prefix=self._prefix)

    def _set_items_aside(self) -> None:
        """All items of a list but the last are rendered once for display, and once for good when the list ends."""
        start = self._aside_end
        if not self._head and len(self.text) - start > _LONG and _ITEM.match(self.text, start):
            ends = [found.end() for found in _NEXT_ITEM.finditer(self.text, start)]
            if ends:
                items = render_part(self.text[start : ends[-1]], self._copy(), id_prefix=self._prefix)
                self._aside, self._aside_end = _joined(self._aside, items), ends[-1]

    def _set_rows_aside(self, source: str, leaf: Leaf) -> None:
        """Likewise all rows of a table but the last: its first two lines are rendered again with each of the others."""
        if leaf.table is None or len(source) <= _LONG:
            return
        lines = source.split("\n")
        head = "\n".join(lines[leaf.table : leaf.table + 2]) + "\n"
        if len(lines) <= leaf.table + 3:
            return
        whole = "\n".join(lines[:-1]) + "\n"
        rows = render_part(whole, self._copy(), id_prefix=self._prefix)
        self._aside = _with_rows(self._aside, rows) if self._head else rows
        self._aside_end += len(whole) - len(self._head)
        self._head = head

    def _copy(self) -> Account:
        return replace(self._account)


@lru_cache(maxsize=64)
def _of_one_line(mark: str | None) -> tuple[str, Leaf]:
    (block,), leaf = render_open(f"{mark or ''}a", Account())
    return block, leaf


def _second_line(source: str, content: str) -> str:
    """What makes a table of its first line; nothing where no second line can do so."""
    from markdown_it.rules_block.table import escapedSplit

    line = content.rpartition("\n")[2].lstrip()
    raw = source.rpartition("\n")[2].rstrip()
    is_row = line.startswith("|") or ("\n" not in content and " | " in line)
    cells = escapedSplit(line.strip())
    if not is_row or len(line) < 2 or not raw.endswith(line):
        return ""
    columns = len(cells) - (not cells[0]) - (len(cells) > 1 and not cells[-1])
    margin = re.sub(r"[^\s>]", " ", raw[: len(raw) - len(line)])
    return f"\n{margin}|{'-|' * max(1, columns)}"


def _with_rows(aside: list[str], blocks: list[str]) -> list[str]:
    """A table's rows behind those of its beginning."""
    table, *others = blocks
    rows = table.partition(_BODY)[2] or _BODY_END
    return [*aside[:-1], aside[-1].removesuffix(_BODY_END) + rows, *others]


def _joined(items: list[str], more: list[str]) -> list[str]:
    """Two halves of a list as one, if they are halves of one."""
    begins = _LIST.match(more[0]) if more else None
    end = f"</{begins[1]}>\n" if begins else ""
    if not begins or not items or not items[-1].endswith(end):
        return items + more
    return [*items[:-1], items[-1].removesuffix(end) + more[0][begins.end() :], *more[1:]]

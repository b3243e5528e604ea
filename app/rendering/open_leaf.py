"""Where the block that is being written goes on: in the lines of a fence, the cells of a row, or in words.

Each of them takes what it can be sure of and says so; what may change the structure of the block is the parser's.
"""

import html
import re
from functools import cache

from app.rendering.leaf import PLACE, Leaf
from app.rendering.open_inline import Effort, OpenInline
from app.rendering.pipeline import Account, render_open

SIZE_OF_END = 8  # characters by which a leaf is known as what the text ends with

_CELL = re.compile(r"<t[dh]([^>]*)>")
_NEXT_CELL = re.compile(r"(?:</t[dh]>|<tr>)\n<t[dh][^>]*>")
_HEADER_ENDS = "</tr>\n</thead>\n</table></div>\n"
_EMPTY_END = re.compile(r"\|[ \t]*\|\Z")
_ENDS = {"heading_open": "\n#", "th_open": "\n|", "td_open": "\n|"}  # marks behind which other words may begin
_MAY_HOLD_PIPES = re.compile("[`$]")
_ITEM = re.compile(r"(?:[-+*]|[0-9]{1,9}(?P<mark>[.)])) ")
_LIST_ENDS = re.compile(r"(?P<item>(?:</p>\n)?</li>\n)</(?:ol|ul)>\n")
# Words, perhaps bold ones, code or a link that is no box of a task: nothing that begins a block.
_BEGINS_WORDS = r"(?=(?:\*\*|`|\[(?![xX]?\]))?[^\W\d_])"


class OpenFence:
    def __init__(self, leaf: Leaf, block: str) -> None:
        self._before, _, self._after = block.rpartition(PLACE)
        self._code = leaf.content
        self._indent = " " * leaf.indent
        self._is_quoted = leaf.quotes > 0

    def take(self, tail: str) -> bool:
        whole = (self._code.rpartition("\n")[2] + tail).split("\n")[:-1]
        if self._is_quoted or any(line.strip() and not line.strip(" \t`~") for line in whole):
            return False  # the fence may end there
        first, *lines = tail.split("\n")
        if any(line.strip() and not line.startswith(self._indent) for line in lines):
            return False
        self._code += "\n".join([first, *(line[len(self._indent) :] for line in lines)])
        return True

    def html(self) -> str:
        return self._before + html.escape(self._code, quote=False) + self._after


class OpenWords:
    def __init__(self, leaf: Leaf, block: str, source: str, prefix: str, effort: Effort) -> None:
        self._before, _, self._after = block.rpartition(PLACE)
        self._prefix, self._effort = prefix, effort
        self._inline = OpenInline(leaf.content, prefix, effort)
        self.is_paragraph = self._after == "</p>\n"  # in no other block
        self._ends = _ENDS.get(leaf.kind, "")
        self._goes_on = source.endswith(leaf.content[-SIZE_OF_END:])
        quotes = rf"(?:> ?){{{leaf.quotes}}}" if leaf.quotes else ""
        self._line_end = re.compile(rf"\n[ \t]*{quotes}[ \t]*(?=[^\W\d_])")
        self._item_end = self._next_item(source) if not self._ends else None

    def _next_item(self, source: str) -> re.Pattern[str] | None:
        """What stands between these words and those of the next item, if they are an item of a list in no other."""
        ends = _LIST_ENDS.fullmatch(self._after)
        begins = "<li>\n<p>" if ends and ends["item"].startswith("</p>") else "<li>"
        items = [found for found in map(_ITEM.match, source.split("\n")) if found] if ends else []
        if not ends or not items or not self._before.endswith(begins):
            return None
        self._between = ends["item"] + begins
        mark = rf"[0-9]{{1,9}}{re.escape(items[-1]['mark'])}" if items[-1]["mark"] else re.escape(items[-1].group()[0])
        return re.compile(rf"\n{'{1,2}' if begins != '<li>' else ''}{mark} {_BEGINS_WORDS}")

    def finished(self) -> str:
        return self._before + self._inline.finished() + self._after

    def go_on_from(self, before: "OpenWords") -> None:
        """Take over what was read of the words before the block was parsed again."""
        content, inline = self._inline.source, before._inline
        if content.startswith(inline.source):
            inline.add(content[len(inline.source) :])
            self._inline = inline

    def take(self, tail: str) -> bool:
        if not self._goes_on or any(mark in tail for mark in self._ends):
            return False
        items = [self._line_end.split(item) for item in (self._item_end.split(tail) if self._item_end else [tail])]
        lines = [line for item in items for line in item]
        if any("\n" in line for line in lines) or (len(lines) > 1 and "|" in tail):
            return False
        first, *others = ("\n".join(item) for item in items)
        self._inline.add(first)
        for item in others:
            self._before += self._inline.finished() + self._between
            self._inline = OpenInline(item, self._prefix, self._effort)
        return True

    def html(self) -> str:
        words = self._inline.html()
        return self._before + words + self._after if words.strip() else ""


class OpenHeader:
    """A line that is a table's first if its second line comes."""

    def __init__(self, source: str, prefix: str, effort: Effort) -> None:
        self._prefix, self._effort = prefix, effort
        self._before = _table_begins()
        self._inline: OpenInline | None = None
        self.take(source.lstrip().removeprefix("|"))

    def take(self, tail: str) -> bool:
        if any(mark in tail for mark in "\n\\`$"):
            return False
        for number, words in enumerate(tail.split("|")):
            if number:
                self._before += f"<th>{self._inline.finished() if self._inline else ''}</th>\n"
                self._inline = None
            if self._inline:
                self._inline.add(words)
            elif words.strip():
                self._inline = OpenInline(words.lstrip(), self._prefix, self._effort)
        return True

    def html(self) -> str:
        cell = f"<th>{self._inline.html()}</th>\n" if self._inline else ""
        return f"{self._before}{cell}{_HEADER_ENDS}"


@cache
def _table_begins() -> str:
    return render_open("|a|\n|-|", Account())[0][0].partition("<th>")[0]


class OpenRow:
    """A row of a table that stands in no other block; the parser has made its empty cells already."""

    def __init__(self, leaf: Leaf, block: str, source: str, prefix: str, effort: Effort) -> None:
        self._before, _, self._after = block.rpartition(PLACE)
        self._prefix, self._effort = prefix, effort
        self._is_header = leaf.kind == "th_open"
        self._inline: OpenInline | None = OpenInline(leaf.content, prefix, effort)
        goes_on = source.endswith(leaf.content[-SIZE_OF_END:])
        if not goes_on and source.endswith("|") and not source.endswith("\\|"):
            self._before, self._inline = self._before + self._inline.finished(), None
        self._is_sure = (goes_on or self._inline is None) and not _EMPTY_END.search(source)
        row = self._before[self._before.rfind("<tr>") :] + self._after.partition("</tr>")[0]
        self._empty_row = "<tr>\n" + "".join(f"<td{cell}></td>\n" for cell in _CELL.findall(row)) + "</tr>\n"

    def take(self, tail: str) -> bool:
        words = self._inline.source if self._inline else None
        cell = (words or "") + tail
        if not self._is_sure or "\\" in cell or ("|" in tail and _MAY_HOLD_PIPES.search(cell)):
            return False
        if "\n" in tail and (self._is_header or any(line[:1] != "|" for line in tail.split("\n")[1:])):
            return False
        before, after, is_new, is_line_start = self._before, self._after, False, False
        for part in re.split(r"([|\n])", tail):
            if part in ("|", "\n") and words is not None:
                before += self._finished(words.rstrip())
                words = None
            elif (part == "|" and not is_line_start) or (part.strip(" |") and words is None and part != "\n"):
                opening = _NEXT_CELL.match(after)
                if not opening:
                    return False
                before, after = before + opening.group(), after[opening.end() :]
                words, is_new = (None if part == "|" else part.lstrip()), True
            elif words is not None:
                words += part
            if part == "\n":
                row, _, rest = after.partition("</tr>\n")
                before, after = f"{before}{row}</tr>\n", self._empty_row + rest
            is_line_start = part == "\n" or (is_line_start and not part)
        self._before, self._after = before, after
        if words is None or is_new or self._inline is None:
            self._inline = None if words is None else OpenInline(words, self._prefix, self._effort)
        else:
            self._inline.add(words[len(self._inline.source) :])
        return True

    def _finished(self, words: str) -> str:
        if self._inline and self._inline.source == words:
            return self._inline.finished()
        return OpenInline(words, self._prefix, self._effort).finished()

    def html(self) -> str:
        words = self._inline.html() if self._inline else ""
        return self._before + words + self._after

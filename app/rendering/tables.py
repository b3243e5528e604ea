"""Tables with a ceiling: one costs columns times rows, however short its rows are."""

import re
from collections.abc import Sequence
from typing import Any

from app.rendering.leaf import LEAF

MAX_CELLS = 2000
# A cell needs a `|`; a table with many more cells than these is one of empty rows, made to be big.
CELLS_PER_PIPE = 4

_DELIMITERS = re.compile(r"[ \t>]*[-:|][-:| \t]*")
_INNER = re.compile(r"(?<![`\\])(`+)(?!`).*?(?<!`)\1(?!`)|(?<![\\$])\$(?=[^\s$])[^$]*?(?<=[^\s\\])\$(?![A-Za-z0-9$])")
_GOES_ON = re.compile(rf"{_INNER.pattern}|(?<!\\)`.*")  # of a line that is cut off
_PIPE = re.compile(r"(?<!\\)\|")
_INNER_PIPE = "\ufdd2"  # stands for a pipe inside a cell while a row is split

_ROWS = "table_rows"  # in the environment of a rendering


def add_table_limit(markdown: Any) -> None:
    from markdown_it.rules_block.table import table

    def limited(state: Any, start: int, end: int, silent: bool) -> bool:
        if start + 1 >= end or not _DELIMITERS.match(state.src, state.bMarks[start + 1], state.eMarks[start + 1]):
            return False
        source, before = state.src, len(state.tokens)
        _hide_inner_pipes(state, start, start + 1)
        found = table(state, start, end, True) and not _is_too_big(state, start, end)
        if found and not silent:
            _hide_inner_pipes(state, start + 2, _last_line(state, start + 2, end))
            table(state, start, end, False)
            for token in state.tokens[before:]:
                token.content = token.content.replace(_INNER_PIPE, "|")
        state.src = source
        return bool(found)

    markdown.block.ruler.at("table", limited, {"alt": ["paragraph", "reference"]})
    rules = markdown.renderer.rules
    rules["th_open"] = rules["td_open"] = _cell_open
    rules["table_open"] = _table_open
    rules["table_close"] = lambda *_: "</table></div>\n"


def _hide_inner_pipes(state: Any, start: int, end: int) -> None:
    """What stands in code or in a formula is part of a cell: `a || b` does not end one."""
    for line in range(start, end):
        begins, ends = state.bMarks[line], state.eMarks[line]
        text = state.src[begins:ends]
        if "|" in text and ("`" in text or "$" in text):
            goes_on = LEAF in state.env and ends == len(state.src)
            hidden = (_GOES_ON if goes_on else _INNER).sub(lambda found: _PIPE.sub(_INNER_PIPE, found.group()), text)
            state.src = state.src[:begins] + hidden + state.src[ends:]


def _is_too_big(state: Any, start: int, end: int) -> bool:
    delimiters = state.src[state.bMarks[start + 1] : state.eMarks[start + 1]].lstrip(" \t>").rstrip()
    columns = delimiters.count("|") + 1 - delimiters.startswith("|") - delimiters.endswith("|")
    last = _last_line(state, start + 2, end)
    cells = columns * (last - start)
    if cells > MAX_CELLS:
        return True
    pipes = state.src.count("|", state.bMarks[start], state.eMarks[last - 1]) + last - start
    return bool(cells > max(CELLS_PER_PIPE * pipes, 64))


def _last_line(state: Any, start: int, end: int) -> int:
    """Where rows that begin here end; what follows them must not matter to the block above.

    Kept for the lines between, since a text full of what could be tables asks for it on each of them.
    """
    indent = state.blkIndent
    first, last, *same = state.env.get(_ROWS, (0, 0))
    if first <= start < last and same == [indent, end]:
        return int(last)
    terminators = state.md.block.ruler.getRules("blockquote")
    parent, state.parentType = state.parentType, "table"
    last = start
    while last < end and not (
        state.sCount[last] < indent
        or state.isEmpty(last)
        or state.is_code_block(last)
        or any(rule(state, last, end, True) for rule in terminators)
    ):
        last += 1
    state.parentType = parent
    state.env[_ROWS] = (start, last, indent, end)
    return last


def _table_open(tokens: Sequence[Any], index: int, _options: Any, _env: Any) -> str:
    return f'<div class="table"{_dir(tokens[index])}><table>\n'


def _cell_open(tokens: Sequence[Any], index: int, _options: Any, _env: Any) -> str:
    token = tokens[index]
    _, _, align = str(token.attrs.get("style", "")).partition("text-align:")
    aligned = f' align="{align}"' if align else ""
    return f"<{token.tag}{aligned}{_dir(token)}>"


def _dir(token: Any) -> str:
    direction = token.attrGet("dir")
    return f' dir="{direction}"' if direction else ""

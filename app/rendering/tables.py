"""Tables with a ceiling: one costs columns times rows, however short its rows are."""

from collections.abc import Sequence
from typing import Any

MAX_CELLS = 2000
# A cell needs a `|`; a table with many more cells than these is one of empty rows, made to be big.
CELLS_PER_PIPE = 4

_ROWS = "table_rows"  # in the environment of a rendering


def add_table_limit(markdown: Any) -> None:
    from markdown_it.rules_block.table import table

    def limited(state: Any, start: int, end: int, silent: bool) -> bool:
        return (
            table(state, start, end, True)
            and not _is_too_big(state, start, end)
            and (silent or table(state, start, end, False))
        )

    markdown.block.ruler.at("table", limited, {"alt": ["paragraph", "reference"]})
    rules = markdown.renderer.rules
    rules["th_open"] = rules["td_open"] = _cell_open
    rules["table_open"] = lambda *_: '<div class="table"><table>\n'
    rules["table_close"] = lambda *_: "</table></div>\n"


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


def _cell_open(tokens: Sequence[Any], index: int, _options: Any, _env: Any) -> str:
    token = tokens[index]
    _, _, align = str(token.attrs.get("style", "")).partition("text-align:")
    return f'<{token.tag} align="{align}">' if align else f"<{token.tag}>"

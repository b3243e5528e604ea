"""Tables with a ceiling: one costs columns times rows, however short its rows are."""

from collections.abc import Sequence
from typing import Any

MAX_CELLS = 2000
# A cell needs a `|`; a table with many more cells than these is one of empty rows, made to be big.
CELLS_PER_PIPE = 4


def add_table_limit(markdown: Any) -> None:
    from markdown_it.rules_block.table import table

    def limited(state: Any, start: int, end: int, silent: bool) -> bool:
        if not table(state, start, end, True):
            return False
        if silent:
            return not _is_too_big(state, start, end)
        return not _is_too_big(state, start, end) and table(state, start, end, False)

    markdown.block.ruler.at("table", limited, {"alt": ["paragraph", "reference"]})
    rules = markdown.renderer.rules
    rules["th_open"] = rules["td_open"] = _cell_open
    rules["table_open"] = lambda *_: '<div class="table"><table>\n'
    rules["table_close"] = lambda *_: "</table></div>\n"


def _is_too_big(state: Any, start: int, end: int) -> bool:
    """Counts up to where the table ends or is too big, whichever comes first; what follows it must not matter."""
    columns = pipes = _pipes(state, start + 1)
    rows, terminators = 2, state.md.block.ruler.getRules("blockquote")
    parent, state.parentType = state.parentType, "table"
    try:
        for line in range(start + 2, end):
            if state.sCount[line] < state.blkIndent or state.is_code_block(line) or state.isEmpty(line):
                break
            if any(rule(state, line, end, True) for rule in terminators):
                break
            rows += 1
            pipes += _pipes(state, line)
            if columns * rows > MAX_CELLS:
                return True
    finally:
        state.parentType = parent
    return columns * rows > max(CELLS_PER_PIPE * pipes, 64)


def _pipes(state: Any, line: int) -> int:
    return int(state.src.count("|", state.bMarks[line], state.eMarks[line])) + 1


def _cell_open(tokens: Sequence[Any], index: int, _options: Any, _env: Any) -> str:
    token = tokens[index]
    _, _, align = str(token.attrs.get("style", "")).partition("text-align:")
    return f'<{token.tag} align="{align}">' if align else f"<{token.tag}>"

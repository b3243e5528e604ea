"""A floor under nesting: what lies deeper is shown as text, where markdown-it would drop it without a word."""

from typing import Any

DEEPEST = 18  # nine lists in each other


def add_floor(markdown: Any) -> None:
    markdown.options["maxNesting"] = DEEPEST + 2  # never reached by blocks; what `[[[[` costs is in proportion to it
    markdown.block.ruler.before("table", "floor", _floor)


def _floor(state: Any, start: int, end: int, silent: bool) -> bool:
    if state.level < DEEPEST or silent:
        return False
    last = start + 1
    while last < end and (state.isEmpty(last) or state.sCount[last] >= state.blkIndent):
        last += 1
    token = state.push("code_block", "code", 0)
    token.content = state.getLines(start, last, state.blkIndent, False)
    token.map = [start, last]
    state.line = last
    return True

r"""Rules for `\(…\)`, `\[…\]`, and `$$…$$` on lines of its own: a formula ends before a blank line or is none."""

from typing import Any

from app.rendering.dollars import is_prose
from app.rendering.leaf import LEAF
from app.rendering.maths import MAX_LENGTH

_INLINE = (("\\(", "\\)", "math_inline"), ("\\[", "\\]", "math_inline_double"))
_BLOCK = {"\\[": "\\]", "$$": "$$"}
_INTERRUPTS = {"alt": ["paragraph", "reference", "blockquote", "list"]}


def add_bracket_maths(markdown: Any) -> None:
    """Makes the tokens that dollarmath makes, and takes the place of its rule for blocks."""
    markdown.inline.ruler.before("escape", "bracket_maths", _inline)
    markdown.block.ruler.before("fence", "bracket_maths", _block, _INTERRUPTS)
    markdown.disable("math_block")


def _inline(state: Any, silent: bool) -> bool:
    for opening, closing, kind in _INLINE:
        if state.src.startswith(opening, state.pos):
            end = state.src.find(closing, state.pos + 2, min(state.posMax, state.pos + MAX_LENGTH))
            if end <= state.pos + 2:
                return False
            if not silent:
                token = state.push(kind, "math", 0)
                token.content = state.src[state.pos + 2 : end]
            state.pos = end + 2
            return True
    return False


def _block(state: Any, start: int, end: int, silent: bool) -> bool:
    opening = _line(state, start)[:2]
    if opening not in _BLOCK or state.is_code_block(start):
        return False
    lines = [_line(state, start)[2:]]
    last = start + 1
    while _BLOCK[opening] not in lines[-1]:
        if last == end and LEAF in state.env and not is_prose("\n".join(lines)):
            state.line = end  # a text that goes on: its end may come
            return True
        if last == end or not _goes_on(state, last, opening):
            return False
        lines.append(_line(state, last))
        last += 1
    # Only where it ends the line: what follows a formula would be lost.
    text = "\n".join(lines)
    if text.find(_BLOCK[opening]) != len(text) - 2 or not text[:-2].strip():
        return False
    if not silent:
        token = state.push("math_block", "math", 0)
        token.block = True
        token.content = text[:-2]
        token.map = [start, last]
        state.line = last
    return True


def _goes_on(state: Any, line: int, opening: str) -> bool:
    """Another beginning ends the search too, or a text of nothing else would be searched once for each."""
    text = _line(state, line)
    is_another = opening != _BLOCK[opening] and text.startswith(opening)
    return bool(text) and not is_another and state.sCount[line] >= state.blkIndent


def _line(state: Any, number: int) -> str:
    return str(state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]).strip()

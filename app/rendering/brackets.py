r"""Rules for `\(…\)`, `\[…\]`, `\begin{align}…\end{align}` and `$$…$$` on lines of its own.

A formula ends before a blank line or is none; only between dollars alone on their lines a few may stand.
"""

import re
from typing import Any

from app.rendering.dollars import is_prose
from app.rendering.leaf import LEAF
from app.rendering.maths import MAX_LENGTH

SPAN = 16  # lines from an opening to its end, where blank ones are between: what is never closed takes no more

_INLINE = (("\\(", "\\)", "math_inline"), ("\\[", "\\]", "math_inline_double"))
_BLOCK = {"\\[": "\\]", "$$": "$$"}
_ENVIRONMENT = re.compile(
    r"\\begin\{((?:(?:fl)?align|alignat|equation|eqnarray|gather|multline|[pbBvV]?matrix|[dr]?cases)\*?"
    r"|aligned|alignedat|gathered|split|array|smallmatrix|subarray)\}"
)
_PUNCTUATION = ".,;。，；"
_LONG_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{4,}(?![^{}]*\})")
_INTERRUPTS = {"alt": ["paragraph", "reference", "blockquote", "list"]}


def add_bracket_maths(markdown: Any) -> None:
    markdown.inline.ruler.before("escape", "bracket_maths", _inline)
    markdown.block.ruler.before("fence", "bracket_maths", _block, _INTERRUPTS)


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
    first = _line(state, start)
    opening, closing = _marks(first)
    if not opening or state.is_code_block(start):
        return False
    lines = [first[len(opening) :]]
    while closing not in lines[-1]:
        is_cut_off = start + len(lines) == end and LEAF in state.env
        if is_cut_off and not is_prose("\n".join(lines)):
            state.line = end  # its end may come
            return True
        if start + len(lines) == end or not _goes_on(state, start, lines, opening):
            return False
        lines.append(_line(state, start + len(lines)))
    # Only where it ends the line: what follows a formula would be lost.
    inner, _, rest = "\n".join((lines[0], *filter(None, lines[1:]))).partition(closing)
    if not inner.strip() or len(rest) > 1 or rest not in _PUNCTUATION or ("" in lines[1:-1] and _is_text(inner)):
        return False
    if not silent:
        token = state.push("math_block", "math", 0)
        token.block = True
        token.content = (f"{opening}{inner}{closing}" if opening not in _BLOCK else inner.strip()) + rest
        token.map = [start, start + len(lines)]
        state.line = start + len(lines)
    return True


def _marks(line: str) -> tuple[str, str]:
    if line[:2] in _BLOCK:
        return line[:2], _BLOCK[line[:2]]
    found = _ENVIRONMENT.match(line)
    return (found[0], f"\\end{{{found[1]}}}") if found else ("", "")


def _goes_on(state: Any, start: int, lines: list[str], opening: str) -> bool:
    """Another beginning ends the search too, or a text of nothing else would be searched once for each."""
    number = start + len(lines)
    text = _line(state, number)
    if opening == "$$" and not lines[0] and (not text or "" in lines[1:]):
        return len(lines) <= SPAN and (not text or state.sCount[number] >= state.blkIndent)
    is_another = opening != "$$" and text.startswith(opening)
    return bool(text) and not is_another and bool(state.sCount[number] >= state.blkIndent)


def _is_text(content: str) -> bool:
    """Paragraphs between two formulas, of which one was not closed."""
    return is_prose(content) or _LONG_WORD.search(content) is not None


def _line(state: Any, number: int) -> str:
    return str(state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]).strip()

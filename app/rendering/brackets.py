r"""Markdown rules for `\(…\)` and `\[…\]`: a formula ends before the next blank line, or it is none."""

from typing import Any

from app.rendering.maths import MAX_LENGTH


def add_bracket_maths(markdown: Any) -> None:
    """Makes the tokens that dollarmath makes for `$…$` and `$$…$$`."""
    markdown.inline.ruler.before("escape", "bracket_maths", _inline)
    markdown.block.ruler.before(
        "fence", "bracket_maths", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )


def _inline(state: Any, silent: bool) -> bool:
    for opening, closing, kind in (("\\(", "\\)", "math_inline"), ("\\[", "\\]", "math_inline_double")):
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
    if state.is_code_block(start) or not _line(state, start).startswith("\\["):
        return False
    lines: list[str] = []
    for number in range(start, end):
        line = _line(state, number)
        # Another beginning ends the search too, or a text of nothing else would be searched once for each.
        begins_anew = lines and (line.startswith("\\[") or state.sCount[number] < state.blkIndent)
        if not line or begins_anew:
            return False
        lines.append(line)
        if "\\]" in line:
            # Only where it ends the line: what follows a formula would be lost.
            return line.endswith("\\]") and (silent or _push(state, start, number + 1, "\n".join(lines)))
    return False


def _line(state: Any, number: int) -> str:
    return str(state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]).strip()


def _push(state: Any, start: int, end: int, text: str) -> bool:
    token = state.push("math_block", "math", 0)
    token.block = True
    token.content = text[2:-2]
    token.map = [start, end]
    state.line = end
    return True

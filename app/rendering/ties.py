"""No line ends between a formula and the comma behind it, or the bracket before it: browsers break lines there."""

import re
from typing import Any

_BEHIND = re.compile(r"(?:[,.;:!?)\]}%'’”»。，；：！？、）》」』】…]|-(?=\w)|(?<![A-Za-z])[A-Za-z]{1,8}(?![A-Za-z]))+")
_BEFORE = re.compile(r"[(\[{‘“«（《「『【]+\Z")


def add_ties(markdown: Any) -> None:
    markdown.core.ruler.after("inline", "math_ties", _tie_all)


def _tie_all(state: Any) -> None:
    for token in state.tokens:
        if token.children and any(child.type == "math_inline" for child in token.children):
            token.children = _tied(token.children)


def _tied(children: list[Any]) -> list[Any]:
    from markdown_it.token import Token

    tied: list[Any] = []
    for index, child in enumerate(children):
        before = _text(children, index - 1)
        behind = _text(children, index + 1)
        opening = _BEFORE.search(before.content) if before else None
        closing = _BEHIND.match(behind.content) if behind else None
        if child.type != "math_inline" or not (opening or closing):
            tied.append(child)
            continue
        tie = [Token("math_tie_open", "span", 1, attrs={"class": "math-tied"})]
        if before and opening:
            before.content = before.content[: opening.start()]
            tie.append(Token("text", "", 0, content=opening[0]))
        tie.append(child)
        if behind and closing:
            behind.content = behind.content[closing.end() :]
            tie.append(Token("text", "", 0, content=closing[0]))
        tied += [*tie, Token("math_tie_close", "span", -1)]
    return tied


def _text(children: list[Any], index: int) -> Any:
    return children[index] if 0 <= index < len(children) and children[index].type == "text" else None

"""`$…$` and `$$…$$` in a line, without taking prices and a shell's variables for formulas."""

import re
from typing import Any

# `$5 and then 6$` and `$HOME/$USER` are prose: words after a number, or a letter right behind the end.
_LETTER = re.compile(r"[A-Za-z0-9]")
_PRICE = re.compile(r"\$[0-9][0-9.,]*\s+[A-Za-z]{2,}\s")

_BRACES = re.compile(r"\{[^{}]*(?:\}|\Z)")
_PROSE = re.compile(
    r"(?<![\\A-Za-z])[A-Za-z]{2,}[,;:.]?\s+[A-Za-z]{2,}[,;:.]?\s|\A[0-9][0-9.,]*\s+[A-Za-z]{2,}\s|[。，；！？、]"
)


def is_prose(source: str) -> bool:
    """Words in a row are no formula, nor are a number with a word behind it, or Chinese sentences."""
    return _PROSE.search(_BRACES.sub("", source)) is not None


def add_dollar_maths(markdown: Any) -> None:
    from mdit_py_plugins.dollarmath import dollarmath_plugin
    from mdit_py_plugins.dollarmath.index import math_inline_dollar

    dollarmath_plugin(
        markdown,
        allow_labels=False,
        allow_digits=False,
        allow_space=False,
        allow_blank_lines=False,
        double_inline=True,
    )
    formula = math_inline_dollar(allow_space=False, allow_digits=False, allow_double=True)

    def inline(state: Any, silent: bool) -> bool:
        start = state.pos
        if not formula(state, True):
            return False
        end, state.pos = state.pos, start
        if _LETTER.match(state.src, end) or _PRICE.match(state.src, start, end):
            return False
        return bool(formula(state, silent))

    markdown.inline.ruler.at("math_inline", inline)

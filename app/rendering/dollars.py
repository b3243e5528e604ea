"""`$…$` and `$$…$$` in a line, without taking prices and a shell's variables for formulas."""

import re
from typing import Any

from app.rendering.maths import MAX_LENGTH

# A dollar in the text of a formula, as in `\text{if $x>0$}`, does not end it.
_INSIDE = r"(?:[^$\\]|\\(?:text[a-z]*|[mh]box)\{(?:[^${}\\]|\\.|\$[^${}]*+\$)*+\}|\\.)++"
_FORMULA = re.compile(rf"\$(?P<one>{_INSIDE})\$|\$\$(?P<two>{_INSIDE})\$\$", re.DOTALL)

_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_SENTENCE = re.compile(r"[。，；！？、]|(?<![\\\w])[^\W\d_]{2,} +[^\W\d_]{2,}")

_NO_BEGINNING = re.compile(r"[\s/,;)&?!]|\|\^")  # `s/$/a/;s/b$//`, `echo $$; kill $$`, `^a*$|^b*$`
_UNFINISHED = re.compile(r"[-–—~+*/=<>.,:;(\[|&_^\s]\Z")  # `$5-$10`, `$a=$b`
_WORDS_AFTER_A_NUMBER = re.compile(r"[0-9][0-9.,]*\s+[A-Za-z]{2,}\s")
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_BEGINS_WITH_A_LETTER = re.compile(r"[A-Za-zͰ-Ͽ]")  # `2$x$`; but `5$-6$`, and no Chinese
_SUFFIX = re.compile(r"[A-Za-z]{2,}|s(?![A-Za-z])")  # `$i$th`, `$k$NN`, `$x$s`; but `$a$b`


def is_prose(source: str) -> bool:
    """Two words in a row or the marks of a Chinese sentence, outside of braces: no formula, whatever is around it."""
    return _SENTENCE.search(_outside_braces(source)) is not None


def may_be_formula(content: str) -> bool:
    """One whose end has not come yet."""
    return not (_NO_BEGINNING.match(content) or _WORDS_AFTER_A_NUMBER.match(content) or is_prose(content))


def add_dollar_maths(markdown: Any) -> None:
    markdown.inline.ruler.before("escape", "dollar_maths", _inline)


def _inline(state: Any, silent: bool) -> bool:
    start = state.pos
    # The second of two dollars that begin nothing begins nothing either.
    if not state.src.startswith("$", start) or state.pending.endswith("$"):
        return False
    found = _FORMULA.match(state.src, start, min(state.posMax, start + MAX_LENGTH + 4))
    if not found:
        return False
    before, after = state.src[start - 1 : start] if start else "", state.src[found.end() : found.end() + 9]
    one, two = found["one"], found["two"]
    is_formula = _is_formula(one, before, after) if one else two.strip() and two[0] not in ";,)"
    if not is_formula:
        return False
    if not silent:
        token = state.push("math_inline" if one else "math_inline_double", "math", 0)
        token.content = one or two
    state.pos = found.end()
    return True


def _is_formula(content: str, before: str, after: str) -> bool:
    # Code may have a dollar too: $5, or `$HOME`.
    if _NO_BEGINNING.match(content) or content[-1].isspace() or "`" in content or is_prose(content):
        return False
    is_latex = "\\" in content
    if content[0].isdigit() and not is_latex and _is_price(content):
        return False
    # `${a}${b}`, `$(a)+$(b)`
    if after[:1] == "{" or (after[:1] == "(" and content[0] == "("):
        return False
    is_amid_words = _is_of_a_word(before) or _is_of_a_word(after[:1])
    return not is_amid_words or _is_formula_amid_words(content, before, after, is_latex)


def _is_price(content: str) -> bool:
    is_balanced = content.count("(") == content.count(")")
    return not is_balanced or bool(_UNFINISHED.search(content) or _WORDS_AFTER_A_NUMBER.match(content))


def _is_formula_amid_words(content: str, before: str, after: str, is_latex: bool) -> bool:
    r"""Right behind or before a letter or a digit: `2$\pi$`, `A$\to$B`, `$i$th`; but `US$5`, `$5/$6`, `$HOME/$USER`."""
    if _UNFINISHED.search(content) or _WORD.search(_outside_braces(content)):
        return False
    if is_latex:
        return True
    if before.isdigit() and not _BEGINS_WITH_A_LETTER.match(content):
        return False
    if content[0].isdigit() and not content.isalnum():
        return False
    if (before.isalpha() and before.isascii()) or after[:1].isdigit() or content.isdigit():
        return False
    return not _is_of_a_word(after[:1]) or bool(_SUFFIX.match(after))


def _is_of_a_word(char: str) -> bool:
    return char.isascii() and char.isalnum()


def _outside_braces(source: str) -> str:
    parts, depth, start = [], 0, 0
    for found in _BRACE.finditer(source):
        if found[0] == "{":
            if not depth:
                parts.append(source[start : found.start()])
            depth += 1
        elif found[0] == "}" and depth:
            depth -= 1
            start = found.end()
    return " ".join((*parts, "" if depth else source[start:]))

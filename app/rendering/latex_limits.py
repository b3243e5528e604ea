"""What the converter is not given: formulas that would take it too long, or too deep, or that define commands."""

import re

MAX_DEPTH = 100  # the converter calls itself for each level, and the stack of a thread may be small
# It looks for the end of each opening bracket, and reads what follows once more where there is none: 2, 4, 8, … times.
MAX_UNCLOSED = 6

_REFUSED = re.compile(r"\\(?:(?:re)?newcommand|providecommand|[egx]?def|(?:future)?let|(?:eq)?ref)(?![A-Za-z])")
_CHAIN = re.compile(rf"(?:\\[A-Za-z]++\s*+[A-Za-z0-9]?\s*+){{{MAX_DEPTH}}}")
_LEVEL = re.compile(
    r"(?P<deeper>\{|\\(?:left|begin|over|choose|color|[a-z]*style|bf|rm|it|sf|tt|cal)(?![A-Za-z]))"
    r"|(?P<higher>\}|\\(?:right|end)(?![A-Za-z]))|\\.",
    re.DOTALL,
)
_NAMES = re.findall(r"\w+", "angle brace brack ceil floor group moustache paren vert Vert Angle Brace ang")
_OPENING = "|".join(
    (*(f"l{name}" for name in _NAMES), "llangle|llbracket|llparenthesis|[lu]lcorner|mathopen|[Bb]igg?l")
)
_CLOSING = "|".join(
    (*(f"r{name}" for name in _NAMES), "rrangle|rrbracket|rrparenthesis|[lu]rcorner|mathclose|[Bb]igg?r")
)
_BRACKET = re.compile(
    r"(?P<group>\{|\\(?:left|begin)(?![A-Za-z])\s*(?:\\[A-Za-z]+|\\?[^\s{])?)"
    r"|(?P<end>\}|\\(?:right|end)(?![A-Za-z])\s*(?:\\[A-Za-z]+|\\?[^\s{])?)"
    rf"|(?P<opening>[(\[⌈⌊⌜⌞⎰❲⟅⟦⟨⟪⟬⟮⦃⦅⦇⦉⦋⦍⦏⦑⦓⦕⦗⧘⧚⧼]|\\(?:\{{|(?:{_OPENING})(?![A-Za-z])))"
    rf"|(?P<closing>[)\]⌉⌋⌝⌟⎱❳⟆⟧⟩⟫⟭⟯⦄⦆⦈⦊⦌⦎⦐⦒⦔⦖⦘⧙⧛⧽]|\\(?:\}}|(?:{_CLOSING})(?![A-Za-z])))"
    r"|\\.",
    re.DOTALL,
)


def is_refused(source: str) -> bool:
    """Or defines commands, of which a few make a formula of any size, or refers to formulas that are not in it."""
    if _REFUSED.search(source) or _CHAIN.search(source):
        return True
    depth = 0
    for found in _LEVEL.finditer(source):
        depth += found.lastgroup == "deeper"
        depth -= found.lastgroup == "higher"
        if depth > MAX_DEPTH:
            return True
    return False


def leaves_brackets_open(source: str) -> bool:
    """Many of them; not in the cells of tables, where the converter looks for no end."""
    unclosed, groups = 0, [0]
    for found in _BRACKET.finditer(source):
        if found["opening"]:
            groups[-1] += 1
        elif found["closing"]:
            groups[-1] = max(0, groups[-1] - 1)
        elif found["group"]:
            groups.append(0)
        elif found["end"] and len(groups) > 1:
            of_group = groups.pop()
            unclosed += 0 if found["end"].startswith(r"\end") else of_group
    return unclosed + sum(groups) > MAX_UNCLOSED

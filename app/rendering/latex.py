r"""LaTeX as the converter reads it: what it does not know is rewritten where the result is the same, and nothing else.

What stays unknown makes the converter refuse the formula: its source is shown then, never something like it.
"""

import re

from app.rendering.latex_commands import expanded

# Environments without their numbers, which would begin anew with each formula.
_UNNUMBERED = {
    **dict.fromkeys(("align", "alignat", "flalign", "split", "alignedat", "aligned"), "aligned"),
    **dict.fromkeys(("gather", "gathered"), "gathered"),
    "equation": "",
    "multline": "multline*",
}
_TAGGED = {**dict.fromkeys(("align", "alignat", "flalign"), "align*"), "gather": "gather*", "equation": "equation*"}
_BRACKETS = {"matrix": (".", "."), "pmatrix": ("(", ")"), "bmatrix": ("[", "]"), "vmatrix": ("|", "|")}
_MANY = 20  # columns of a matrix, where its environment does not count them

_BEGIN_OR_END = re.compile(
    r"\\(?P<edge>begin|end)\s*\{(?P<name>[A-Za-z]+)(?P<star>\*?)\}(?P<place>\s*\[[a-z]\])?(?P<pairs>\s*\{\d+\})?"
)
_ROW_GAP = re.compile(r"(?<!\\)((?:\\\\)+)(?:\*|\*?[ \t]*\[\s*-?[\d.]+\s*(?:pt|em|ex|mm|cm|in|mu|px)\s*\])")
_DROPPED = re.compile(r"\\(?:label|vspace\*?)\s*\{[^{}]*\}|[@!]\{\s*\}")
_ANGLE = re.compile(r"(\\(?:left|middle|right|[bB]igg?[lmr]?)\s*)([<>])")
_ANGLES = {"<": "\\langle ", ">": "\\rangle "}
_TOP = re.compile(r"\\(?P<edge>begin|end)(?![A-Za-z])|(?P<row>\\\\)|\\.|[{}&]", re.DOTALL)


def rewritten(source: str, display: bool) -> str:
    source = _DROPPED.sub("", _ROW_GAP.sub(r"\1", source))
    source = expanded(
        _ANGLE.sub(lambda found: found[1] + ("\\langle " if found[2] == "<" else "\\rangle "), source), display
    )
    is_tagged = "\\tag" in source
    source = _BEGIN_OR_END.sub(lambda found: _environment(found, is_tagged), source)
    return _in_rows(source, is_tagged and display)


def _environment(found: re.Match[str], is_tagged: bool) -> str:
    edge, name, star = found["edge"], found["name"], found["star"]
    place, pairs = (found["place"] or "").strip(" []"), found["pairs"] or ""
    if name in _BRACKETS and star:
        opening, closing = _BRACKETS[name]
        columns = "{%s}" % ((place or "c") * _MANY)
        return rf"\left{opening}\begin{{array}}{columns}" if edge == "begin" else rf"\end{{array}}\right{closing}"
    if name == "smallmatrix":
        return rf"\begin{{subarray}}{{{'c' * _MANY}}}" if edge == "begin" else r"\end{subarray}"
    if name == "eqnarray":
        return r"\begin{array}{rcl}" if edge == "begin" else r"\end{array}"
    if is_tagged and name in _TAGGED:
        name = _TAGGED[name]
    elif name in _UNNUMBERED:
        name = _UNNUMBERED[name]
    elif name == "array":
        return rf"\{edge}{{array}}{pairs}"
    else:
        return found[0]
    return rf"\{edge}{{{name}}}" if name else ""


def _in_rows(source: str, is_tagged: bool) -> str:
    """Rows and columns outside an environment, as answers have them, in one; and a tag in one that can have it."""
    depth, has_rows, has_columns = 0, False, False
    for found in _TOP.finditer(source):
        if found[0] == "{" or found["edge"] == "begin":
            depth += 1
        elif found[0] == "}" or found["edge"] == "end":
            depth -= 1
        elif not depth:
            has_rows |= bool(found["row"])
            has_columns |= found[0] == "&"
    if is_tagged and not any(rf"\begin{{{name}}}" in source for name in _TAGGED.values()):
        name = "align*" if has_columns else "gather*" if has_rows else "equation*"
    elif has_columns or has_rows:
        name = "aligned" if has_columns else "gathered"
    else:
        return source
    return rf"\begin{{{name}}}{source}\end{{{name}}}"

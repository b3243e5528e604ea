r"""Chemistry as people write it, `\ce{2H2 + O2 -> 2H2O}`, in LaTeX: the part of mhchem that has one reading."""

import re

# Alone, and with something above or below.
_ARROWS = {
    "->": (r"\longrightarrow ", r"\xrightarrow"),
    "<-": (r"\longleftarrow ", r"\xleftarrow"),
    "<->": (r"\longleftrightarrow ", r"\xleftrightarrow"),
    "<=>": (r"\;\rightleftharpoons\;", r"\xrightleftharpoons"),
}
_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<arrow><->|<=>|->|<-)(?:\[(?P<above>[^\[\]]*)\])?(?:\[(?P<below>[^\[\]]*)\])?"
    r"|(?P<state>\((?:aq|s|l|g)\))"
    r"|(?P<element>[A-Z][a-z]?|[enx](?=[\s^_)\]+-]|$))"
    r"|(?P<number>\d+(?:/\d+|\.\d+)?)"
    r"|\^(?:\{(?P<braced_charge>[\d+-]+)\}|(?P<charge>\d*[+-]|\d+))"
    r"|_(?:\{(?P<braced_index>[\d+-]+)\}|(?P<index>\d+))"
    r"|(?P<sign>[+-])(?=[\s)\]]|$)"
    r"|(?P<bond>[-=#])(?=[A-Z(\[])"
    r"|(?P<bracket>[()\[\]])"
    r"|(?P<dot>[.*·])(?=\s*\d*[A-Z])"
    r"|(?P<greek>\\(?:alpha|beta|gamma|nu|pi|sigma|Delta)(?![A-Za-z])\s*)"
)
_BONDS = {"-": "{-}", "=": "{=}", "#": r"{\equiv}"}
_ALONE = re.compile(r"[+^v](?=\s|$)")  # between spaces: a plus, a gas, a precipitate
_SIGNS = {"+": " + ", "^": r"\uparrow ", "v": r"\downarrow "}


def chemistry(source: str) -> str | None:
    """None where something has no reading here."""
    source = source.strip()
    parts: list[str] = []
    at, is_begun = 0, False  # whether a formula stands before, to which a number or a charge belongs
    while at < len(source):
        alone = None if is_begun else _ALONE.match(source, at)
        if alone:
            parts.append(_SIGNS[alone[0]])
            at = alone.end()
            continue
        found = _TOKEN.match(source, at)
        if found and found["number"] and is_begun:
            index = re.split(r"[./]", found[0])[0]  # `CuSO4.5H2O` has no 4.5 in it
            parts.append(f"_{{{index}}}")
            at += len(index)
            continue
        part = _written(found, is_begun) if found else None
        if not found or part is None:
            return None
        parts.append(part)
        at, is_begun = found.end(), not (found["space"] or found["arrow"] or found["dot"] or found[0] in "([")
    return "{" + "".join(parts) + "}" if parts else None


def _written(found: re.Match[str], is_begun: bool) -> str | None:
    before = "" if is_begun else "{}"
    raised, lowered = found["braced_charge"] or found["charge"], found["braced_index"] or found["index"]
    if found["arrow"]:
        return _arrow(found["arrow"], found["above"] or "", found["below"] or "")
    if found["element"]:
        return rf"\mathrm{{{found['element']}}}"
    if found["state"]:
        return rf"\mathrm{{{found['state']}}}"
    if found["number"]:
        return rf"{_fraction(found['number'])}\,"
    if raised or (found["sign"] and is_begun):
        return f"{before}^{{{raised or found['sign']}}}"
    if lowered:
        return f"{before}_{{{lowered}}}"
    if found["bond"]:
        return _BONDS[found["bond"]] if is_begun else None
    if found["dot"]:
        return r"\cdot "
    return None if found["sign"] else found["bracket"] or found["greek"] or ""


def _fraction(number: str) -> str:
    above, slash, below = number.partition("/")
    return rf"\tfrac{{{above}}}{{{below}}}" if slash else number


def _arrow(arrow: str, above: str, below: str) -> str | None:
    alone, labelled = _ARROWS[arrow]
    if not above and not below:
        return alone
    over, under = _label(above), _label(below)
    return None if over is None or under is None else f"{labelled}[{under}]{{{over}}}"


def _label(text: str) -> str | None:
    r"""A formula, a `\Delta`, or words."""
    text = text.strip()
    if not text:
        return ""
    if re.fullmatch(r"[A-Za-z]{3,}[A-Za-z ,.]*|[\d.]+ ?°?[A-Za-z]*", text):
        return rf"\text{{{text}}}"
    return chemistry(text)

"""Where a growing or a very long text can be cut, so that its parts are rendered one after the other."""

import re

from app.rendering.brackets import SPAN

# Dollars alone on their line, also in a list or a quotation.
_DOLLARS = re.compile(r"[\s>*+\-0-9.)]*\$\$\s*\Z")
FENCE = re.compile(r"(?:[ \t]*\n)* {0,3}(?P<mark>`{3,}(?=[^`\n]*\n)|~{3,})(?P<info>[^\n]*)\n")


def settled(lines: list[str]) -> int:
    """The last line that what comes later cannot draw into a block above it.

    Only a formula or a comment can: it takes all lines up to its end, be they headings. But no blank one, save for a
    few where the formula's dollars stand alone on their lines.
    """
    last = first = len(lines) - 1
    while first > 0 and lines[first - 1].strip():
        first -= 1
    if not any(mark in line for line in lines[first:] for mark in ("\\[", "$$", "\\begin{", "<!--")):
        first = len(lines)
    opened = (number for number in range(max(0, last - SPAN), last) if _DOLLARS.match(lines[number]))
    return min(first, next(opened, first))


def reopened(text: str) -> str:
    """The line that a fence begins with which the text is the beginning of: the rest of it is code too."""
    fence = FENCE.match(text)
    if not fence:
        return ""
    mark = fence["mark"]
    is_closed = re.compile(rf"^ {{0,3}}{mark[0]}{{{len(mark)},}}[ \t]*$", re.MULTILINE).search(text, fence.end())
    return "" if is_closed else fence.group().lstrip("\n")

r"""The row that the converter adds where the last one ends in `\\`: LaTeX has none there, only the rule below it."""

import re

_TAG = re.compile(r"<(?P<end>/?)(?P<name>mtable|mtr|mtd)\b[^>]*>")
_LAST_ROW = re.compile(r'<mtr><mtd(?: class="(?P<classes>[^"]*)")?></mtd></mtr>(?=</mtable>)')


def without_last_row(mathml: str) -> str:
    if not _LAST_ROW.search(mathml):
        return mathml
    columns = _columns(mathml)

    def row(found: re.Match[str]) -> str:
        names = {"math-rule-top", "math-dashes-top"}.intersection((found["classes"] or "").split())
        if not names:
            return ""
        return f'<mtr><mtd class="math-end {names.pop()}" columnspan="{columns.get(found.start(), 1)}"></mtd></mtr>'

    return _LAST_ROW.sub(row, mathml)


def _columns(mathml: str) -> dict[int, int]:
    """Of the table around it, by where a row begins: the most that a row above has."""
    found: dict[int, int] = {}
    tables: list[list[int]] = []  # [most cells of a row so far, cells of this row]
    for tag in _TAG.finditer(mathml):
        if tag["name"] == "mtable":
            tables.pop() if tag["end"] else tables.append([1, 0])
        elif tag["end"]:
            tables[-1][0] = max(tables[-1])
        elif tag["name"] == "mtr":
            found[tag.start()], tables[-1][1] = tables[-1][0], 0
        else:
            tables[-1][1] += 1
    return found

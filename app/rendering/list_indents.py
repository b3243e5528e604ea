"""Lists as models indent them: two spaces under `1.`, or six under `-`, mean a list within the item.

CommonMark takes the first for a list of its own and the second for words. The lines are moved to where it reads them
as meant. What becomes of a line depends on those above it alone.
"""

import re
from dataclasses import dataclass
from typing import Any

_SUSPECT = re.compile(r"^(?: {2,})(?:[-+*]|[0-9]{1,9}[.)])(?: |$)", re.MULTILINE)
_ITEM = re.compile(r"(?P<indent> *)(?P<mark>(?:[-+*]|[0-9]{1,9}[.)]) {1,4}(?=\S))(?!(?:[-*_] *){2,}$)")
_FENCE = re.compile(r" *(`{3,}|~{3,})")
CODE = 4  # spaces that make a line code
_LEAST = 2  # spaces that make a list one within the item above


@dataclass(frozen=True, slots=True)
class _Item:
    mark: int  # the column where it begins, as it is written
    content: int  # and its words
    moved: int  # by so many columns

    def has(self, column: int) -> bool:
        return column >= self.content


def add_list_indents(markdown: Any) -> None:
    def move(state: Any) -> None:
        if not state.inlineMode and _SUSPECT.search(state.src):
            state.src = "\n".join(_moved(state.src.split("\n")))

    markdown.core.ruler.after("normalize", "list_indents", move)


def _moved(lines: list[str]) -> list[str]:
    moved: list[str] = []
    items: list[_Item] = []  # that are open, each within the one before
    fence = ""
    is_after_blank = True
    for line in lines:
        column = len(line) - len(line.lstrip(" "))
        is_blank = not line.strip()
        if not is_blank and not fence:
            items = _still_open(items, column, is_after_blank, _ITEM.match(line) is not None)
        by = items[-1].moved if items and not is_blank else 0
        found = _FENCE.match(line)
        if fence:
            fence = "" if found and line.strip().startswith(fence) and not line.strip().strip(fence[0]) else fence
        elif found:
            fence = found[1]
        elif (item := _ITEM.match(line)) is not None and (items or column < CODE):
            by = _target(items, column, is_after_blank) - column
            items = [each for each in items if each.mark < column]
            items.append(_Item(column, column + len(item["mark"]), by))
        moved.append(" " * max(0, column + by) + line[column:] if by else line)
        is_after_blank = is_blank
    return moved


def _still_open(items: list[_Item], column: int, is_after_blank: bool, is_item: bool) -> list[_Item]:
    """Words go on with the item above whatever their column; behind a blank line only at its column."""
    if not is_item and not is_after_blank:
        return items
    if is_item:
        return [item for item in items if item.mark <= column]
    return [item for item in items if item.has(column) or (item.mark + _LEAST <= column)]


def _target(items: list[_Item], column: int, is_after_blank: bool) -> int:
    """Where an item that is written at this column has to stand."""
    above = items[-1] if items else None
    if above is None:
        return column
    if above.mark == column or column < above.mark + _LEAST:
        return column + above.moved
    content = above.content + above.moved
    if column < above.content:
        return content
    if column >= above.content + CODE and not is_after_blank:
        return content
    return column + above.moved

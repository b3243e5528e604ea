"""`- [ ]` and `- [x]` as boxes that cannot be ticked; in one walk, where the usual plugin looks back from each item."""

import re
from collections.abc import Sequence
from typing import Any

BOX = re.compile(r"\[([ xX])\][ \t\n]+")
_LISTS = ("bullet_list_open", "ordered_list_open")


def add_task_lists(markdown: Any) -> None:
    markdown.core.ruler.after("inline", "task_lists", _mark)
    markdown.renderer.rules["task_box"] = _box


def _mark(state: Any) -> None:
    lists: list[Any] = []
    tokens = state.tokens
    for index, token in enumerate(tokens):
        if token.type in _LISTS:
            lists.append(token)
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            lists.pop()
        elif token.type == "inline" and index > 1 and tokens[index - 2].type == "list_item_open":
            _mark_item(lists[-1], tokens[index - 2], token)


def _mark_item(parent: Any, item: Any, inline: Any) -> None:
    from markdown_it.token import Token

    found = BOX.match(inline.content)
    first = inline.children[0] if inline.children else None
    # `[x](…)` and a defined `[x]` are links, and no text begins with their brackets.
    if not found or first is None or not first.content.startswith(found.group().rstrip()):
        return
    first.content = first.content[3:]
    box = Token("task_box", "input", 0, meta={"checked": found[1] != " "})
    # What stands behind the box is its name to those who do not see it.
    inline.children = [Token("label_open", "label", 1), box, *inline.children, Token("label_close", "label", -1)]
    item.attrSet("class", "task-list-item")
    parent.attrSet("class", "contains-task-list")


def _box(tokens: Sequence[Any], index: int, _options: Any, _env: Any) -> str:
    checked = ' checked="checked"' if tokens[index].meta["checked"] else ""
    return f'<input class="task-list-item-checkbox"{checked} disabled="disabled" type="checkbox">'

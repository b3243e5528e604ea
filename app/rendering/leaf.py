"""Where a text goes on: its last paragraph, heading, cell or open fence, set aside from the rest of the blocks."""

import re
from dataclasses import dataclass
from typing import Any

from app.rendering.highlight import code_block
from app.rendering.tasks import BOX

LEAF = "leaf"  # in the environment of a rendering
PLACE = "\ufdd0"  # in the HTML, in place of the leaf's own; the last one is ours, whatever the text holds

TABLE_LEVEL = 4  # of the words in a cell of a table that stands in no other block
_AFTER_EMPTY = {"inline", "td_open", "tr_open"}


@dataclass(slots=True)
class Leaf:
    kind: str = ""  # the token that begins it, `fence`, or nothing: the text does not go on in anything
    content: str = ""
    quotes: int = 0  # that it stands in
    indent: int = 0  # of a fence's lines
    table: int | None = None  # the line where the table begins that it is a cell of, if it is in no other block


def add_leaf_rules(markdown: Any) -> None:
    markdown.core.ruler.after("block", "leaf", _set_aside)
    markdown.renderer.rules["open_fence"] = lambda tokens, index, *_: code_block(tokens[index].info, PLACE)


def _set_aside(state: Any) -> None:
    leaf = state.env.get(LEAF)
    if leaf is None:
        return
    tokens = state.tokens
    index = len(tokens) - 1
    while index > 0 and (tokens[index].nesting < 0 or _is_empty_cell(tokens, index)):
        index -= 1
    token = tokens[index] if tokens else None
    if token is None:
        return
    if token.type == "fence" and not _is_closed(token, state.src):
        leaf.kind, leaf.content, token.type = "fence", token.content, "open_fence"
        leaf.indent = state.src.split("\n")[token.map[0]].find(token.markup)
    elif token.type == "inline" and token.content:
        leaf.kind, leaf.content = tokens[index - 1].type, token.content
        box = BOX.match(token.content) if tokens[index - 2].type == "list_item_open" else None
        kept = box.group() if box else ""
        leaf.content = token.content[len(kept) :]
        token.content = kept + PLACE
    kinds = [each.type for each in tokens[:index]]
    leaf.quotes = kinds.count("blockquote_open") - kinds.count("blockquote_close")
    if leaf.kind in ("td_open", "th_open") and token.level == TABLE_LEVEL:
        leaf.table = next(each.map[0] for each in reversed(tokens[:index]) if each.type == "table_open")


def _is_empty_cell(tokens: list[Any], index: int) -> bool:
    token = tokens[index]
    if token.type == "inline":
        return not token.content and tokens[index - 1].type in ("td_open", "th_open")
    return token.type in ("td_open", "th_open", "tr_open", "tbody_open") and tokens[index + 1].type in _AFTER_EMPTY


def _is_closed(fence: Any, source: str) -> bool:
    mark = re.escape(fence.markup[0])
    lines = source.split("\n")[fence.map[0] + 1 : fence.map[1]]
    return bool(lines) and re.fullmatch(rf"[ >\t]*{mark}{{{len(fence.markup)},}}[ \t]*", lines[-1]) is not None

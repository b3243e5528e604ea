"""markdown-it-py, configured: GitHub's flavour, maths, footnotes; no HTML, no images, no foreign schemes."""

import threading
from collections.abc import Sequence
from typing import Any, cast

from app.rendering.brackets import add_bracket_maths
from app.rendering.cjk import add_cjk
from app.rendering.cut import add_cut_rules
from app.rendering.direction import add_directions
from app.rendering.dollars import add_dollar_maths
from app.rendering.footnotes import add_footnotes
from app.rendering.highlight import code_block, highlight, is_uncoloured, language_of
from app.rendering.images import add_image_links
from app.rendering.leaf import add_leaf_rules
from app.rendering.links import add_links
from app.rendering.list_indents import add_list_indents
from app.rendering.maths import mathml, typeset
from app.rendering.nesting import add_floor
from app.rendering.tables import add_table_limit
from app.rendering.tags import add_tags
from app.rendering.tasks import add_task_lists
from app.rendering.ties import add_ties

_kept = threading.local()


def parser() -> Any:
    """This thread's parser: linkify-it keeps what it is at in itself."""
    if not hasattr(_kept, "parser"):
        _kept.parser = _configured()
    return _kept.parser


def cut_parser() -> Any:
    """This thread's parser of text that goes on behind its end."""
    if not hasattr(_kept, "cut_parser"):
        _kept.cut_parser = _configured()
        add_cut_rules(_kept.cut_parser)
        add_leaf_rules(_kept.cut_parser)
    return _kept.cut_parser


def _configured() -> Any:
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("gfm-like", {"html": False, "linkify": True, "typographer": False, "breaks": True})
    add_dollar_maths(markdown)
    add_bracket_maths(markdown)
    add_ties(markdown)
    add_task_lists(markdown)
    add_footnotes(markdown)
    add_table_limit(markdown)
    add_image_links(markdown)
    add_tags(markdown)
    add_list_indents(markdown)
    add_floor(markdown)
    add_links(markdown)
    add_cjk(markdown)
    add_directions(markdown)
    _add_rules(cast(Any, markdown.renderer).rules)
    return markdown


def _add_rules(rules: dict[str, Any]) -> None:
    def fence(tokens: Sequence[Any], index: int, _options: Any, _env: Any) -> str:
        token = tokens[index]
        if token.info.strip().lower() == "math" and (formula := typeset(token.content, display=True)):
            return f'<div class="math">{formula}</div>\n'
        inner = highlight(token.content, language_of(token.info))
        return code_block(token.info, inner, is_uncoloured=is_uncoloured(token.info, token.content, inner))

    def maths(tokens: Sequence[Any], index: int, _options: Any, _env: Any) -> str:
        token = tokens[index]
        return mathml(token.content, display=token.type != "math_inline", frame="div" if token.block else "span")

    rules["fence"] = rules["code_block"] = fence
    rules["math_inline"] = rules["math_inline_double"] = rules["math_block"] = maths


def top_level(tokens: Sequence[Any]) -> list[tuple[int, int]]:
    """(first, after last) token of each top-level block; the footnotes at the end are one."""
    blocks: list[tuple[int, int]] = []
    start = 0
    for index, token in enumerate(tokens):
        if token.type == "footnote_block_open":
            return [*blocks, (index, len(tokens))]
        if token.level == 0 and token.nesting <= 0:
            blocks.append((start, index + 1))
            start = index + 1
    return blocks

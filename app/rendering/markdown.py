"""markdown-it-py, configured: GitHub's flavour, maths, footnotes; no HTML, no images, no foreign schemes."""

import html
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from app.rendering.brackets import add_bracket_maths
from app.rendering.highlight import code_block, highlight, language_of
from app.rendering.maths import mathml

Tokens = Sequence[Any]

MAX_TABLE_CELLS = 2000
_SAFE_LINK = re.compile(r"(?:https?://[^/\s\\]|mailto:)", re.IGNORECASE)
_DELIMITER_ROW = re.compile(r"^[ >]*\|?[ ]*:?-+:?[ ]*(?:\|[ ]*:?-*:?[ ]*)*\|?[ ]*$", re.MULTILINE)


def is_safe_link(url: str) -> bool:
    """http, https and mailto with a host of their own; never relative, `//host` or a scheme in disguise."""
    return _SAFE_LINK.match(url) is not None


def has_big_table(text: str) -> bool:
    """A table costs columns times rows, however short its rows are."""
    for match in _DELIMITER_ROW.finditer(text):
        columns = match.group().count("|") + 1
        rows = 0
        for line in text[match.end() + 1 :].split("\n", MAX_TABLE_CELLS)[:MAX_TABLE_CELLS]:
            if not line.strip():
                break
            rows += 1
        if columns > 1 and columns * (rows + 1) > MAX_TABLE_CELLS:
            return True
    return False


@lru_cache(maxsize=4)
def parser(*, tables: bool = True, footnotes: bool = True) -> Any:
    """A parser to be shared: parsing changes nothing in it."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin
    from mdit_py_plugins.footnote import footnote_plugin
    from mdit_py_plugins.tasklists import tasklists_plugin

    markdown = MarkdownIt("gfm-like", {"html": False, "linkify": True, "typographer": False, "maxNesting": 40})
    dollarmath_plugin(
        markdown,
        allow_labels=False,
        allow_digits=False,
        allow_space=False,
        allow_blank_lines=False,
        double_inline=True,
    )
    add_bracket_maths(markdown)
    tasklists_plugin(markdown)
    if footnotes:
        footnote_plugin(markdown)
    if not tables:
        markdown.disable("table")
    markdown.validateLink = is_safe_link  # type: ignore[method-assign]
    _add_rules(markdown.renderer)
    return markdown


def _add_rules(renderer: Any) -> None:
    rules = renderer.rules

    def fence(tokens: Tokens, index: int, _options: Any, _env: Any) -> str:
        token = tokens[index]
        return code_block(token.info, highlight(token.content, language_of(token.info)))

    def image(tokens: Tokens, index: int, options: Any, env: Any) -> str:
        token = tokens[index]
        source = str(token.attrs.get("src", ""))
        text = renderer.renderInlineAsText(token.children or [], options, env)
        label = html.escape(f"{text} (image from {urlsplit(source).hostname or 'nowhere'})".strip())
        return f'<a class="image" href="{html.escape(source)}">{label}</a>'

    def math_inline(tokens: Tokens, index: int, _options: Any, _env: Any) -> str:
        return mathml(tokens[index].content, block=False)

    def math_block(tokens: Tokens, index: int, _options: Any, _env: Any) -> str:
        return mathml(tokens[index].content, block=True)

    def cell_open(tokens: Tokens, index: int, _options: Any, _env: Any) -> str:
        token = tokens[index]
        style = str(token.attrs.get("style", ""))
        return f'<{token.tag} align="{style.split(":")[1]}">' if style.startswith("text-align:") else f"<{token.tag}>"

    rules["fence"] = rules["code_block"] = fence
    rules["image"] = image
    rules["math_inline"] = math_inline
    rules["math_block"] = rules["math_inline_double"] = math_block
    rules["th_open"] = rules["td_open"] = cell_open
    rules["table_open"] = lambda *_: '<div class="table"><table>\n'
    rules["table_close"] = lambda *_: "</table></div>\n"


def top_level(tokens: Sequence[Any]) -> list[tuple[int, int]]:
    """(first, after last) token of each top-level block; the footnotes at the end are one."""
    blocks, start = [], 0
    for index, token in enumerate(tokens):
        if token.type == "footnote_block_open":
            return [*blocks, (index, len(tokens))]
        if token.level == 0 and token.nesting <= 0:
            blocks.append((start, index + 1))
            start = index + 1
    return blocks

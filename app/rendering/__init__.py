"""Markdown to safe HTML; pure."""

import html
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Update:
    """Drop your blocks from index `from_` on, append these."""

    from_: int
    blocks: list[str]


@lru_cache(maxsize=1)
def _markdown() -> Any:
    from markdown_it import MarkdownIt

    return MarkdownIt("gfm-like", {"html": False, "linkify": True})


def render_blocks(text: str, *, id_prefix: str = "") -> list[str]:
    import nh3

    tokens = _markdown().parse(text)
    blocks, start = [], 0
    for index, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0:
            blocks.append(_markdown().renderer.render(tokens[start : index + 1], _markdown().options, {}))
            start = index + 1
    return [nh3.clean(block, url_schemes={"http", "https", "mailto"}) for block in blocks]


def render_markdown(text: str, *, id_prefix: str = "") -> str:
    return "".join(render_blocks(text, id_prefix=id_prefix))


def escape_text(text: str) -> str:
    paragraphs = html.escape(text).split("\n\n")
    return "".join("<p>" + p.replace("\n", "<br>") + "</p>" for p in paragraphs)


class StreamingRenderer:
    def __init__(self, id_prefix: str = "") -> None:
        self._prefix, self._text = id_prefix, ""
        self.blocks: list[str] = []

    def feed(self, piece: str) -> Update:
        self._text += piece
        old, self.blocks = self.blocks, render_blocks(self._text, id_prefix=self._prefix)
        same = 0
        while same < min(len(old), len(self.blocks)) and old[same] == self.blocks[same]:
            same += 1
        return Update(same, self.blocks[same:])

    def finish(self) -> Update:
        return self.feed("")

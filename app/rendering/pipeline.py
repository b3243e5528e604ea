"""Text in, sanitised blocks out: the steps in order, their ceilings, and the one place where a fault ends as text."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from app.rendering.cache import BlockCache
from app.rendering.footnotes import PREFIX
from app.rendering.markdown import parser, top_level
from app.rendering.output import TooMuch, bounded_html
from app.rendering.sanitize import sanitize
from app.rendering.source import as_text, clean_text, plain_blocks

logger = logging.getLogger(__name__)

MAX_RENDERED = 100_000  # characters that are read as Markdown; what follows is shown as it is
EXPANSION, ALLOWANCE = 10, 64 * 1024  # how much HTML a text may come to


@dataclass(slots=True)
class Account:
    """What the blocks of a text took and gave, in order: a block is judged by those before it alone."""

    source: int = 0
    output: int = 0
    failed: bool = False

    def settle(self, source: str, render: Callable[[int], str]) -> str:
        """The block, or its source where the HTML comes to more than the room for it, which `render` is told."""
        self.source += len(source)
        try:
            block = render(EXPANSION * self.source + ALLOWANCE - self.output)
        except TooMuch:
            if not source:
                raise  # footnotes have no source of their own to be shown in their place: the whole is
            block = as_text(source)
        self.output += len(block)
        return block


cache = BlockCache()


def render_part(text: str, account: Account, *, id_prefix: str = "") -> list[str]:
    """Clean text that begins where a block begins; never raises."""
    return render_upto(None, text, account, id_prefix=id_prefix)[0]


def render_upto(line: int | None, text: str, account: Account, *, id_prefix: str = "") -> tuple[list[str], int]:
    """The blocks above the last one that begins on or above this line, and where that begins; None is all."""
    try:
        return _rendered(line, text, account, id_prefix)
    except Exception as fault:
        if not isinstance(fault, TooMuch):
            logger.exception("a text of %d characters could not be rendered", len(text))
        account.failed = True
        return ([as_text(text)], 0) if line is None else ([], 0)


def _rendered(line: int | None, text: str, account: Account, id_prefix: str) -> tuple[list[str], int]:
    env: dict[str, Any] = {PREFIX: id_prefix}
    markdown = parser()
    tokens = markdown.parse(text, env)
    parts = top_level(tokens)
    starts = [tokens[first].map[0] for first, _ in parts if tokens[first].map]
    last = 0
    if line is not None:
        last = max((start for start in starts if start <= line), default=0)
        parts = [(first, end) for first, end in parts if tokens[first].map and tokens[first].map[0] < last]
    sources = iter(_cut(text, starts))
    blocks = []
    for first, end in parts:
        render = partial(_block, tokens[first:end], env)
        blocks.append(account.settle(next(sources) if tokens[first].map else "", render))
    return blocks, last


def _block(tokens: Sequence[Any], env: dict[str, Any], room: int) -> str:
    block = sanitize(bounded_html(parser(), tokens, env, room))
    if len(block) > room:  # what the sanitiser adds counts too
        raise TooMuch
    return block


def _cut(text: str, starts: Sequence[int]) -> list[str]:
    """The text in parts that begin on these lines; the first has what stands above it too."""
    lines = [line + "\n" for line in text.removesuffix("\n").split("\n")]
    edges = [0, *starts[1:], len(lines)]
    return ["".join(lines[here:there]) for here, there in pairwise(edges)]


def render_uncached(text: str, *, id_prefix: str = "") -> list[str]:
    text = clean_text(text)
    blocks = render_part(text[:MAX_RENDERED], Account(), id_prefix=id_prefix)
    return blocks + plain_blocks(text[MAX_RENDERED:])


def render_blocks(text: str, *, id_prefix: str = "") -> list[str]:
    """One sanitised HTML string per top-level block of the Markdown `text`."""
    blocks = cache.get(text, id_prefix)
    if blocks is None:
        blocks = render_uncached(text, id_prefix=id_prefix)
        cache.put(text, id_prefix, blocks)
    return blocks


def render_markdown(text: str, *, id_prefix: str = "") -> str:
    return "".join(render_blocks(text, id_prefix=id_prefix))

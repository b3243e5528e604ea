"""Text in, sanitised blocks out: the steps in order, their ceilings, and the one place where a fault ends as text."""

import html
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

from app.rendering.cache import BlockCache
from app.rendering.cut import CUT, Cut
from app.rendering.footnotes import PREFIX
from app.rendering.leaf import LEAF, Leaf
from app.rendering.markdown import cut_parser, parser, top_level
from app.rendering.output import TooMuch, bounded_html
from app.rendering.pieces import reopened, settled
from app.rendering.sanitize import sanitize
from app.rendering.source import as_text, clean_text, plain_blocks

logger = logging.getLogger(__name__)

MAX_RENDERED = 2_000_000  # characters that are read as Markdown; what follows is shown as it is
PIECE = 100_000  # characters that are read at once: what they define holds for them, and no block is longer
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
        return _rendered(line, text, account, {PREFIX: id_prefix}, parser())
    except Exception as fault:
        _say(fault, text)
        account.failed = True
        return ([as_text(text)], 0) if line is None else ([], 0)


def render_open(text: str, account: Account, *, id_prefix: str = "") -> tuple[list[str], Leaf]:
    """The blocks of a text that goes on, with a mark in place of the words that do; never raises."""
    leaf = Leaf()
    try:
        blocks, _ = _rendered(None, text, replace(account), {PREFIX: id_prefix, LEAF: leaf}, cut_parser())
        return blocks, leaf
    except Exception as fault:
        _say(fault, text)
        return [as_text(text)], Leaf()


def render_cut(text: str, start: int, *, id_prefix: str = "") -> tuple[str, Cut]:
    """Inline Markdown from `start` on that goes on behind its end, and what is open there; never raises."""
    cut = Cut(start)
    env: dict[str, Any] = {PREFIX: id_prefix, CUT: cut}
    try:
        return _inline(cut_parser(), text, env), cut
    except Exception as fault:
        _say(fault, text)
        return html.escape(text[start:], quote=False), Cut(len(text))


def render_inline(text: str, *, id_prefix: str = "") -> str:
    """Inline Markdown as it is for good; never raises."""
    env: dict[str, Any] = {PREFIX: id_prefix}
    try:
        return _inline(parser(), text, env)
    except Exception as fault:
        _say(fault, text)
        return html.escape(text, quote=False)


def _inline(markdown: Any, text: str, env: dict[str, Any]) -> str:
    return _block(markdown, markdown.parseInline(text, env), env, EXPANSION * len(text) + ALLOWANCE)


def _say(fault: Exception, text: str) -> None:
    if not isinstance(fault, TooMuch):
        logger.error("a text of %d characters could not be rendered", len(text), exc_info=fault)


def _rendered(
    line: int | None, text: str, account: Account, env: dict[str, Any], markdown: Any
) -> tuple[list[str], int]:
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
        render = partial(_block, markdown, tokens[first:end], env)
        blocks.append(account.settle(next(sources) if tokens[first].map else "", render))
    return blocks, last


def _block(markdown: Any, tokens: Sequence[Any], env: dict[str, Any], room: int) -> str:
    block = sanitize(bounded_html(markdown, tokens, env, room))
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
    rest, account = text[:MAX_RENDERED], Account()
    blocks: list[str] = []
    while len(rest) > PIECE:
        prefix = f"{id_prefix}{len(blocks)}-" if blocks else id_prefix
        piece, rest = render_piece(rest, account, id_prefix=prefix)
        blocks += piece
    prefix = f"{id_prefix}{len(blocks)}-" if blocks else id_prefix
    return blocks + render_part(rest, account, id_prefix=prefix) + plain_blocks(text[MAX_RENDERED:])


def render_piece(text: str, account: Account, *, id_prefix: str = "") -> tuple[list[str], str]:
    """The first blocks of a text that is too long to be read at once, and the rest; a block that is is cut."""
    whole = text[: text.rfind("\n", 0, PIECE) + 1] or text[:PIECE]
    lines = whole.split("\n")
    blocks, last = render_upto(settled(lines), whole, account, id_prefix=id_prefix)
    if last:
        return blocks, text[sum(len(line) + 1 for line in lines[:last]) :]
    return render_part(whole, account, id_prefix=id_prefix), reopened(whole) + text[len(whole) :]


def render_blocks(text: str, *, id_prefix: str = "") -> list[str]:
    """One sanitised HTML string per top-level block of the Markdown `text`."""
    blocks = cache.get(text, id_prefix)
    if blocks is None:
        blocks = render_uncached(text, id_prefix=id_prefix)
        cache.put(text, id_prefix, blocks)
    return blocks


def render_markdown(text: str, *, id_prefix: str = "") -> str:
    return "".join(render_blocks(text, id_prefix=id_prefix))

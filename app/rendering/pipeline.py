"""Text in, sanitised blocks out: the steps in order, their ceilings, and the one place where a fault ends as text."""

import hashlib
import html
import logging
import threading
from collections import OrderedDict

from app.rendering.markdown import has_big_table, parser, top_level
from app.rendering.sanitize import sanitize

logger = logging.getLogger(__name__)

MAX_RENDERED = 100_000
CACHE_BYTES = 8 * 1024 * 1024
VERSION = 1


def clean_text(text: str) -> str:
    """Line ends as \\n; no NUL, byte order mark or lone surrogate."""
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode() if not _encodes(text) else text
        text = text.removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_text(text: str) -> str:
    return f"<pre>{html.escape(text, quote=False)}</pre>\n"


def render_uncached(text: str, *, id_prefix: str = "", footnotes: bool = True) -> list[str]:
    """One sanitised string per top-level block; never raises. Beyond the ceiling the text stands as it is."""
    text = clean_text(text)
    rest = text[MAX_RENDERED:]
    try:
        blocks = _rendered(text[:MAX_RENDERED], id_prefix, footnotes)
    except Exception:
        logger.exception("a text of %d characters could not be rendered", len(text))
        blocks = [as_text(text[:MAX_RENDERED])]
    return [*blocks, as_text(rest)] if rest else blocks


def _rendered(text: str, id_prefix: str, footnotes: bool) -> list[str]:
    markdown = parser(tables=not has_big_table(text), footnotes=footnotes)
    env: dict[str, object] = {}
    tokens = markdown.parse(text, env)
    blocks = []
    budget = 10 * len(text) + 65_536
    for start, end in top_level(tokens):
        block = sanitize(_with_prefix(markdown.renderer.render(tokens[start:end], markdown.options, env), id_prefix))
        budget -= len(block)
        blocks.append(block)
    return blocks if budget >= 0 else [as_text(text)]


def _with_prefix(block: str, prefix: str) -> str:
    """Only footnotes have ids; a quote in somebody's text is escaped by now, so these are ours."""
    if 'id="fn' in block or 'href="#fn' in block:
        return block.replace('id="fn', f'id="{prefix}fn').replace('href="#fn', f'href="#{prefix}fn')
    return block


class _Cache:
    """Finished texts, the least recently shown dropped first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, list[str]] = OrderedDict()
        self._size = 0

    def get(self, key: bytes) -> list[str] | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: bytes, blocks: list[str]) -> None:
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = blocks
            self._size += sum(map(len, blocks))
            while self._size > CACHE_BYTES:
                _, dropped = self._kept.popitem(last=False)
                self._size -= sum(map(len, dropped))


_cache = _Cache()


def render_blocks(text: str, *, id_prefix: str = "") -> list[str]:
    """One sanitised HTML string per top-level block of the Markdown `text`."""
    key = hashlib.sha256(f"{VERSION}\0{id_prefix}\0{text}".encode("utf-8", "surrogatepass")).digest()
    blocks = _cache.get(key)
    if blocks is None:
        blocks = render_uncached(text, id_prefix=id_prefix)
        _cache.put(key, blocks)
    return list(blocks)


def render_markdown(text: str, *, id_prefix: str = "") -> str:
    return "".join(render_blocks(text, id_prefix=id_prefix))


def escape_text(text: str) -> str:
    """A person's message: text, with its paragraphs and line breaks."""
    paragraphs = [p.strip("\n") for p in html.escape(clean_text(text), quote=False).split("\n\n")]
    return "".join(f"<p>{p}</p>\n".replace("\n", "<br>", p.count("\n")) for p in paragraphs if p.strip())

"""HTML without `dir`, for the tests that are about something else; `test_direction.py` is about it."""

import re

from app import rendering

_DIR = re.compile(r' dir="(?:auto|ltr|rtl)"')


def undirected(html: str) -> str:
    return _DIR.sub("", html)


def render_markdown(text: str, *, id_prefix: str = "") -> str:
    return undirected(rendering.render_markdown(text, id_prefix=id_prefix))


def render_blocks(text: str, *, id_prefix: str = "") -> list[str]:
    return list(map(undirected, rendering.render_blocks(text, id_prefix=id_prefix)))


def escape_text(text: str) -> str:
    return undirected(rendering.escape_text(text))

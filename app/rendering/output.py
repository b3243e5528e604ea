"""Tokens to HTML, stopped as soon as it comes to too much: it is counted while it is made, not after."""

from collections.abc import Sequence
from typing import Any


class TooMuch(Exception):
    """The HTML would be longer than it may be."""


def bounded_html(markdown: Any, tokens: Sequence[Any], env: Any, room: int) -> str:
    """What markdown-it's own renderer makes of the tokens; raises TooMuch beyond so many characters."""
    parts: list[str] = []
    _append(parts, markdown, tokens, env, room)
    return "".join(parts)


def _append(parts: list[str], markdown: Any, tokens: Sequence[Any], env: Any, room: int) -> int:
    """The room that is left."""
    options, rules, by_default = markdown.options, markdown.renderer.rules, markdown.renderer.renderToken
    for index, token in enumerate(tokens):
        if token.type == "inline":
            room = _append(parts, markdown, token.children or (), env, room)
            continue
        part = rules.get(token.type, by_default)(tokens, index, options, env)
        room -= len(part)
        if room < 0:
            raise TooMuch
        parts.append(part)
    return room

"""Footnotes whose ids begin with the message's prefix: no two messages on a page share an anchor, none steals one."""

from collections.abc import Sequence
from typing import Any

PREFIX = "id_prefix"  # in the environment of a rendering
LONGEST_LABEL = 200


def add_footnotes(markdown: Any) -> None:
    from mdit_py_plugins.footnote import footnote_plugin
    from mdit_py_plugins.footnote.index import footnote_ref

    # `^[…]` would change the end of the text wherever it stands; `[^1]` does so only with a definition.
    footnote_plugin(markdown, inline=False)

    def short_reference(state: Any, silent: bool) -> bool:
        # The plugin looks for the end of each `[^` as far as the text goes: 12 kB of them took four seconds.
        label = state.src[state.pos : state.pos + LONGEST_LABEL]
        return label.startswith("[^") and "]" in label and footnote_ref(state, silent)

    markdown.inline.ruler.at("footnote_ref", short_reference)
    rules = markdown.renderer.rules
    rules["footnote_ref"] = _reference
    rules["footnote_open"] = _opening
    rules["footnote_anchor"] = _back


def _names(token: Any, env: Any) -> tuple[str, str, str]:
    """(number shown, id of the note, id of this reference to it)"""
    number, again = str(token.meta["id"] + 1), int(token.meta.get("subId", 0))
    prefix, suffix = env.get(PREFIX, ""), f"-{again}" if again > 0 else ""
    return number, f"{prefix}fn{number}", f"{prefix}fnref{number}{suffix}"


def _reference(tokens: Sequence[Any], index: int, _options: Any, env: Any) -> str:
    number, note, reference = _names(tokens[index], env)
    return f'<sup class="footnote-ref"><a href="#{note}" id="{reference}">[{number}]</a></sup>'


def _opening(tokens: Sequence[Any], index: int, _options: Any, env: Any) -> str:
    _, note, _ = _names(tokens[index], env)
    return f'<li id="{note}" class="footnote-item" dir="{tokens[index].attrGet("dir")}">'


def _back(tokens: Sequence[Any], index: int, _options: Any, env: Any) -> str:
    _, _, reference = _names(tokens[index], env)
    return f' <a href="#{reference}" class="footnote-backref">\u21a9\ufe0e</a>'

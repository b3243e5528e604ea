"""Which addresses are links: http, https and mailto; written out, since `main.py` and `README.md` are no hosts.

One definition serves any number of links, each of which repeats its address and title: neither may be long.
"""

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from app.rendering.cjk import CJK, PUNCTUATION, SHARED

MAX_URL = 2000  # characters, as it stands in the HTML
MAX_TITLE = 1000

_SAFE = re.compile(r"(?:https?://[^/\s\\]|mailto:)", re.IGNORECASE)
_RELATIVE = re.compile(r"(?!//)(?![a-z][a-z0-9+.-]*:)[^\s\\&]*\Z", re.IGNORECASE)
_MARKS = "*~,;!\"'"  # in an address, but not between it and what follows without a space in these languages
_END = re.compile(
    f"(?=[{PUNCTUATION}])"
    # `/wiki/茶` and `/wiki/_(茶)` are addresses; `/a是`, `/a**是`, `/a,是` and `/a(是)` are `/a`.
    f"|(?<=[!-/:-@\\[-`{{-~])[A-Za-z0-9]++(?=[{CJK}])"
    f"|(?<![{_MARKS}])(?=[{_MARKS}]++\\(?[{CJK}])"
    f"|(?<=[A-Za-z0-9/])(?=\\([{CJK}])"
)
_UNSPACED = re.compile(f"[{CJK}{SHARED}](?=[A-Za-z0-9])|(?<=[A-Za-z0-9])[{CJK}{SHARED}]")
_NO_END = "?!.,:*_~"  # of an address, in GitHub's flavour
_SCHEME = re.compile(r"(?:^|[^a-z0-9.+-])(https?)$", re.IGNORECASE)


def is_safe_link(url: str) -> bool:
    """With a host of its own; never relative, `//host` or a scheme in disguise; never longer than browsers take."""
    return len(url) <= MAX_URL and _SAFE.match(url) is not None


def is_relative(url: str) -> bool:
    """It leads nowhere from here; its text is shown without it."""
    return len(url) <= MAX_URL and _RELATIVE.match(url) is not None


def add_links(markdown: Any) -> None:
    from markdown_it.helpers import parseLinkDestination

    normalize = markdown.normalizeLink
    # Encoding only makes an address longer: one that is too long already is not worth it.
    markdown.normalizeLink = lambda url: normalize(url) if len(url) <= MAX_URL else "//"
    markdown.validateLink = lambda url: is_safe_link(url) or is_relative(url)
    markdown.core.ruler.after("inline", "relative_links", _drop_relative)
    markdown.helpers = SimpleNamespace(
        parseLinkLabel=_label_end, parseLinkDestination=parseLinkDestination, parseLinkTitle=_short_title
    )
    markdown.linkify.set({"fuzzy_link": False, "fuzzy_ip": False})
    # linkify-it takes an undefined schema away; what remains is http:, https:, mailto: and bare mail addresses.
    for schema in ("//", "ftp:"):
        markdown.linkify.add(schema, None)
    markdown.inline.ruler.at("linkify", _bare_address)
    markdown.renderer.rules["link_open"] = _opening(markdown.renderer)
    markdown.linkify.test = _between_spaces(markdown.linkify.test)
    markdown.linkify.match = _between_spaces(markdown.linkify.match)


def _opening(renderer: Any) -> Callable[..., str]:
    """What leads away opens in a tab of its own: nobody wants to lose the conversation to it."""

    def link_open(tokens: Any, index: int, options: Any, env: Any) -> str:
        token = tokens[index]
        if str(token.attrs.get("href", "")).lower().startswith("http"):
            token.attrs["target"] = "_blank"
        return str(renderer.renderToken(tokens, index, options, env))

    return link_open


def _drop_relative(state: Any) -> None:
    for token in state.tokens:
        if token.children and any(child.type == "link_open" for child in token.children):
            token.children = _without_relative(token.children)


def _without_relative(children: list[Any]) -> list[Any]:
    kept: list[Any] = []
    is_dropped = False  # the link that is open: none stands in another
    for child in children:
        if child.type == "link_open":
            is_dropped = is_relative(str(child.attrs.get("href", "//")))
        if not (is_dropped and child.type in ("link_open", "link_close")):
            kept.append(child)
    return kept


def _between_spaces(find: Callable[[str], Any]) -> Callable[[str], Any]:
    """Mail addresses are looked for between spaces only, which `请联系a@b.org。` has none of."""
    return lambda text: find(_UNSPACED.sub(" ", text))


def _label_end(state: Any, start: int, disable_nested: bool = False) -> int:
    """As markdown-it's own, which reads on to the end of the text for each `[` when nothing closes one."""
    from markdown_it.helpers import parseLinkLabel

    if state.html_terminator_last("]") < start:
        return -1
    return parseLinkLabel(state, start, disable_nested)


def _short_title(text: str, start: int, end: int, begun: Any = None) -> Any:
    """What goes on beyond the longest title is none: no link and no definition comes of it."""
    from markdown_it.helpers import parseLinkTitle

    last = min(end, start + MAX_TITLE + 2)
    title = parseLinkTitle(text, start, last, begun)
    if len(title.str) > MAX_TITLE or (last < end and not title.ok):
        title.ok = title.can_continue = False
    return title


def _bare_address(state: Any, silent: bool) -> bool:
    """As markdown-it's own rule, which reads all text before and copies all text behind for each `://` it meets."""
    if not state.src.startswith("://", state.pos) or state.linkLevel > 0:
        return False
    scheme = _SCHEME.search(state.pending[-6:])
    if not scheme:
        return False
    start = state.pos - len(scheme[1])
    text = state.src[start : start + MAX_URL + 1]
    end = _END.search(text)
    found = state.md.linkify.match_at_start(text[: end.end()] if end else text)
    text = found.url.rstrip(_NO_END) if found else ""
    url = state.md.normalizeLink(text)
    if not is_safe_link(url):
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[1])]
        state.push("link_open", "a", 1).attrs = {"href": url}
        state.push("text", "", 0).content = state.md.normalizeLinkText(text)
        state.push("link_close", "a", -1)
    state.pos = start + len(text)
    return True

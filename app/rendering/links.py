"""Which addresses are links: http, https and mailto; written out, since `main.py` and `README.md` are no hosts."""

import re
from typing import Any

MAX_URL = 2000

_SAFE = re.compile(r"(?:https?://[^/\s\\]|mailto:)", re.IGNORECASE)
_SCHEME = re.compile(r"(?:^|[^a-z0-9.+-])(https?)$", re.IGNORECASE)


def is_safe_link(url: str) -> bool:
    """With a host of its own; never relative, `//host` or a scheme in disguise."""
    return _SAFE.match(url) is not None


def add_links(markdown: Any) -> None:
    markdown.validateLink = is_safe_link
    markdown.linkify.set({"fuzzy_link": False, "fuzzy_ip": False})
    # linkify-it takes an undefined schema away; what remains is http:, https:, mailto: and bare mail addresses.
    for schema in ("//", "ftp:"):
        markdown.linkify.add(schema, None)
    markdown.inline.ruler.at("linkify", _bare_address)


def _bare_address(state: Any, silent: bool) -> bool:
    """As markdown-it's own rule, which reads all text before and copies all text behind for each `://` it meets."""
    if not state.src.startswith("://", state.pos) or state.linkLevel > 0:
        return False
    scheme = _SCHEME.search(state.pending[-6:])
    if not scheme:
        return False
    start = state.pos - len(scheme[1])
    found = state.md.linkify.match_at_start(state.src[start : start + MAX_URL])
    text = found.url.rstrip("*") if found else ""  # a star belongs to an emphasis around the address
    url = state.md.normalizeLink(text)
    if not state.md.validateLink(url):
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[1])]
        state.push("link_open", "a", 1).attrs = {"href": url}
        state.push("text", "", 0).content = state.md.normalizeLinkText(text)
        state.push("link_close", "a", -1)
    state.pos = start + len(text)
    return True

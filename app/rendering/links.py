"""Which addresses are links: http, https and mailto; written out, since `main.py` and `README.md` are no hosts."""

import re
from typing import Any

_SAFE = re.compile(r"(?:https?://[^/\s\\]|mailto:)", re.IGNORECASE)


def is_safe_link(url: str) -> bool:
    """With a host of its own; never relative, `//host` or a scheme in disguise."""
    return _SAFE.match(url) is not None


def add_links(markdown: Any) -> None:
    markdown.validateLink = is_safe_link
    markdown.linkify.set({"fuzzy_link": False, "fuzzy_ip": False})
    # linkify-it takes an undefined schema away; what remains is http:, https:, mailto: and bare mail addresses.
    for schema in ("//", "ftp:"):
        markdown.linkify.add(schema, None)

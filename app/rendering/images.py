"""Images become links that say where they would be fetched from: nothing is fetched because a model wrote it."""

from typing import Any
from urllib.parse import urlsplit

from app.rendering.links import is_safe_link

MAX_HOST = 253  # characters, by the rules of DNS


def add_image_links(markdown: Any) -> None:
    markdown.core.ruler.push("image_links", _replace_images)


def _replace_images(state: Any) -> None:
    for token in state.tokens:
        if token.children and any(child.type == "image" for child in token.children):
            token.children = _without_images(token.children)


def _without_images(children: list[Any]) -> list[Any]:
    from markdown_it.token import Token

    replaced: list[Any] = []
    inside = 0  # links; one in another is no HTML
    for child in children:
        inside += child.nesting if child.type in ("link_open", "link_close") else 0
        if child.type != "image":
            replaced.append(child)
            continue
        source = str(child.attrs.get("src", ""))
        is_named = is_safe_link(source)
        words = f"{_words(child)} (image from {_host(source)})".strip() if is_named else _words(child) or source
        text = Token("text", "", 0, content=words)
        if inside or not is_named:
            replaced.append(text)
        else:
            opening = Token("link_open", "a", 1, attrs={"href": source, "class": "image"})
            replaced += [opening, text, Token("link_close", "a", -1)]
    return replaced


def _words(image: Any) -> str:
    """The description without its markup; an image in it counts by its own."""
    words = (_words(child) if child.type == "image" else child.content for child in image.children or ())
    return "".join(words)


def _host(source: str) -> str:
    try:
        host = urlsplit(source).hostname or ""
    except ValueError:  # such as `http://[`
        host = ""
    return host if 0 < len(host) <= MAX_HOST else "nowhere"

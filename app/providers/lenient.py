"""JSON of model servers, also where it is not quite JSON: halves of characters, control characters, a BOM."""

import json
from typing import Any

import orjson

_MOST_CONTAINERS = 100_000


def has_too_many(data: bytes) -> bool:
    """Objects and lists: each takes a hundred times the memory of its two brackets, and time to make and to drop."""
    return len(data) > _MOST_CONTAINERS and data.count(b"[") + data.count(b"{") > _MOST_CONTAINERS


def loads(data: bytes) -> Any:
    """Raises ValueError. Halves of characters are kept: `Characters` joins them."""
    if has_too_many(data):
        raise ValueError("too many objects")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        try:
            return json.loads(data.strip().removeprefix(b"\xef\xbb\xbf").decode(), strict=False)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def is_json(data: bytes) -> bool:
    try:
        loads(data)
    except ValueError:
        return False
    return True


class Characters:
    """Pieces of a text that may end in the middle of a character: each comes whole, with the piece of its end."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        if not self._half and (text.isascii() or _is_whole(text)):
            return text
        text, self._half = self._half + text, ""
        if "\ud800" <= text[-1:] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def text_of(content: Any) -> str | None:
    """A text that comes as one, or as a list of parts of type `text` (Mistral); None: something else."""
    if type(content) is str:
        return content
    if type(content) is not list:
        return None
    parts = [part if type(part) is str else part.get("text", "") for part in content if type(part) in (str, dict)]
    return "".join(part for part in parts if type(part) is str)

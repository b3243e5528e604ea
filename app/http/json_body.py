"""The JSON that is read here: UTF-8, finite numbers within 63 bits, whole text, no key twice, not deep, not huge."""

import json
import re
from typing import Any

import orjson

from app.errors import AppError, ErrorKind, invalid

MAX_DEPTH = 64
MAX_NODES = 20_000
MAX_INTEGER = 2**63

_KEY = re.compile(rb'"\s*:')


def check_json(body: bytes) -> None:
    """Raise `malformed_json` or `invalid_text` for what FastAPI's own reader would let pass or die of."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if "surrogate" in error.msg and "UTF-8" not in error.msg:
            raise _bad_text() from None
        raise malformed() from None
    keys = _walk(value)
    # Each key ends in a quote and a colon. As many of those as there are distinct keys: none came twice.
    # More of them may also be text that looks like it, so then a slower reader decides.
    if len(_KEY.findall(body)) > keys:
        json.loads(body, object_pairs_hook=_refuse_duplicates)


def _walk(root: Any) -> int:
    """Check every value without recursion; the number of keys."""
    keys = nodes = depth = 0
    level = [root]
    while level:
        depth += 1
        nodes += len(level)
        if nodes > MAX_NODES or (depth > MAX_DEPTH and any(isinstance(value, (dict, list)) for value in level)):
            raise malformed()
        below: list[Any] = []
        for value in level:
            if isinstance(value, str):
                if "\0" in value:
                    raise _bad_text()
            elif isinstance(value, dict):
                keys += len(value)
                if any("\0" in key for key in value):
                    raise _bad_text()
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            # orjson reads an integer past 64 bits as a float, FastAPI's reader does not.
            elif isinstance(value, (int, float)) and not -MAX_INTEGER <= value < MAX_INTEGER:
                raise malformed()
        level = below
    return keys


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise malformed()


def malformed() -> AppError:
    return AppError(ErrorKind.invalid, "malformed_json", "The body is not the JSON that is read here.")


def _bad_text() -> AppError:
    return invalid("invalid_text", "Text must not contain NUL or lone surrogates.")

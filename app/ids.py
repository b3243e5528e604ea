"""Sortable ids: UUIDv7 as 36-character strings."""

import re

from uuid_utils import uuid7

from app.errors import not_found

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_id() -> str:
    return str(uuid7())


def parse_id(text: str) -> str:
    """The id in its one canonical spelling; anything else is something that does not exist."""
    lowered = text.lower()
    if not _UUID.fullmatch(lowered):
        raise not_found()
    return lowered

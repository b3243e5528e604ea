"""Which Ollama answers: what it can do is known by its version."""

import re

from app.providers.errors import ProviderError
from app.providers.http import Upstream
from app.providers.values import line

UNKNOWN = (0,)  # of what is no version of Ollama's
REFUSES_TOO_LONG = (0, 12, 0)  # before, it left out the beginning of a long conversation without a word
_MAX_VERSION = 40  # characters
_VERSION = re.compile(r"v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:-rc\d{1,6})?")


async def version_of(upstream: Upstream, seconds: float) -> tuple[int, ...]:
    try:
        told = await upstream.json("GET", "/api/version", seconds=seconds, at_root=True)
    except ProviderError:
        return UNKNOWN
    found = _VERSION.fullmatch(line(told.get("version"), _MAX_VERSION)) if isinstance(told, dict) else None
    return tuple(map(int, found.groups())) if found else UNKNOWN

"""Which Ollama answers: what it can do is known by its version."""

import re

from app.providers.errors import ProviderError
from app.providers.http import Upstream

UNKNOWN = (0,)  # of what is no version of Ollama's
REFUSES_TOO_LONG = (0, 12, 0)  # before, it left out the beginning of a long conversation without a word
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-rc\d+)?")


async def version_of(upstream: Upstream, seconds: float) -> tuple[int, ...]:
    try:
        told = await upstream.json("GET", "/api/version", seconds=seconds, at_root=True)
    except ProviderError:
        return UNKNOWN
    found = _VERSION.fullmatch(str(told.get("version"))) if isinstance(told, dict) else None
    return tuple(map(int, found.groups())) if found else UNKNOWN

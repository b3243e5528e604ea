"""Whether the process can do its work: named checks, each with a time limit."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

Check = Callable[[], Awaitable[None]]
TIMEOUT = 2.0


class Checks:
    """A check passes by returning and fails by raising."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def register(self, name: str, check: Check) -> None:
        """The last one registered under a name counts."""
        self._checks[name] = check

    async def failing(self) -> list[str]:
        """Names of the checks that do not pass now; the reason is in the log, not in an answer to a stranger."""
        names = list(self._checks)
        passed = await asyncio.gather(*(self._passes(name) for name in names))
        return [name for name, good in zip(names, passed, strict=True) if not good]

    async def _passes(self, name: str) -> bool:
        try:
            async with asyncio.timeout(TIMEOUT):
                await self._checks[name]()
        except Exception as error:
            logger.warning("check %s fails: %s: %s", name, type(error).__name__, error)
            return False
        return True

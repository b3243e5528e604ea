"""One call to a server for everybody who asks the same at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class SingleFlight(Generic[Answer]):
    """`ask` runs once for all who call while it runs, and for those who call within `seconds` after its end."""

    def __init__(self, ask: Callable[[], Awaitable[Answer]], *, seconds: float = 0.0) -> None:
        self._ask = ask
        self._seconds = seconds
        self._asking: asyncio.Task[Answer] | None = None
        self._ended_at = 0.0

    async def __call__(self) -> Answer:
        asking = self._asking
        if asking is None or (asking.done() and asyncio.get_running_loop().time() - self._ended_at >= self._seconds):
            asking = self._asking = asyncio.create_task(self._run())
        return await asyncio.shield(asking)

    async def aclose(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _run(self) -> Answer:
        try:
            return await self._ask()
        finally:
            self._ended_at = asyncio.get_running_loop().time()

"""Callers that ask the same at the same time share one call to a server."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class SingleFlight(Generic[Answer]):
    """`ask` runs once for all who call while it runs, and for those who call within `seconds` after its end."""

    def __init__(self, ask: Callable[[], Awaitable[Answer]], *, seconds: float = 0.0) -> None:
        self._ask = ask
        self._seconds = seconds
        self._shared: asyncio.Task[Answer] | None = None
        self._good_until = 0.0
        self._running: set[asyncio.Task[Answer]] = set()

    async def __call__(self) -> Answer:
        shared = self._shared
        if shared is None or (shared.done() and asyncio.get_running_loop().time() >= self._good_until):
            shared = self._shared = asyncio.create_task(self._run())
            self._running.add(shared)
            shared.add_done_callback(self._running.discard)
        return await asyncio.shield(shared)

    def forget(self) -> None:
        """Something has changed: who calls from now on does not get what was asked before."""
        self._shared = None

    async def aclose(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _run(self) -> Answer:
        try:
            return await self._ask()
        finally:
            if self._shared is asyncio.current_task():
                self._good_until = asyncio.get_running_loop().time() + self._seconds

"""Whose turn it is to write: one at a time in this process, the event log before everybody else.

A burst of new messages would otherwise hold up the text of all running answers, and the start of its own.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class Turn:
    def __init__(self) -> None:
        self._taken = False
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def take(self, *, urgent: bool = False) -> AsyncIterator[None]:
        """Hold the turn; whoever waits in the same line is served in order."""
        if self._taken:
            await self._wait(self._urgent if urgent else self._waiting)
        self._taken = True
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, line: deque[asyncio.Future[None]]) -> None:
        place = asyncio.get_running_loop().create_future()
        line.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._pass_on()  # it had been handed over already
            elif place in line:  # or somebody has passed it over since it was cancelled
                line.remove(place)
            raise

    def _pass_on(self) -> None:
        """Hand over directly, so that nobody slips in between."""
        for line in (self._urgent, self._waiting):
            while line:
                place = line.popleft()
                if not place.done():
                    place.set_result(None)
                    return
        self._taken = False


def hold(connection: Any, about: str) -> None:
    """On a plain connection, for the rest of its transaction: nobody else decides about the same thing meanwhile.

    On SQLite whoever is inside a transaction is alone anyway.
    """
    holding = getattr(connection, "hold", None)
    if holding is not None:
        holding(about)

"""Wait for something to become true, briefly and without fixed sleeps."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from app.db.session import Database


async def until(condition: Callable[[], Any | Awaitable[Any]], seconds: float = 10.0) -> Any:
    """The first true value of `condition`, asked every few milliseconds."""
    async with asyncio.timeout(seconds):
        while True:
            value = condition()
            if inspect.isawaitable(value):
                value = await value
            if value:
                return value
            await asyncio.sleep(0.005)


async def ended(database: Database, job_id: str, seconds: float = 10.0) -> str:
    """The terminal status of a job, once it has one."""

    async def look() -> str | None:
        row = await database.lookup.first(
            "SELECT status FROM jobs WHERE id = :id AND finished_at IS NOT NULL", {"id": job_id}
        )
        return row[0] if row else None

    return str(await until(look, seconds))

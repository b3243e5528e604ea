"""How many rows every table has: a refusal must not change it (I6)."""

import asyncio
from typing import Any

from app.db.session import Database

TABLES = [
    *("users", "sessions", "refresh_tokens", "api_keys", "invites"),
    *("conversations", "messages", "jobs", "job_events", "idempotency_keys"),
]


async def row_counts(database: Database) -> dict[str, int]:
    return {table: (await rows_of(database, f"SELECT count(*) FROM {table}"))[0][0] for table in TABLES}


async def rows_of(database: Database, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """On a connection of its own: the server's look-ups belong to its event loop."""

    def fetch() -> list[tuple[Any, ...]]:
        connection = database.connect(write=False)
        try:
            return list(connection.execute(statement, parameters).fetchall())
        finally:
            connection.close()

    return await asyncio.to_thread(fetch)

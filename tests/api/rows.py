"""How many rows every table has: a refusal must not change it (I6)."""

from app.db.session import Database

TABLES = [
    *("users", "sessions", "refresh_tokens", "api_keys", "invites"),
    *("conversations", "messages", "jobs", "job_events", "idempotency_keys"),
]


async def row_counts(database: Database) -> dict[str, int]:
    counts = {}
    for table in TABLES:
        row = await database.lookup.first(f"SELECT count(*) FROM {table}", {})
        assert row is not None
        counts[table] = int(row[0])
    return counts

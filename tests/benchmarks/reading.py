"""Open a conversation of 500 messages, list 60 of 2,000 conversations; over keep-alive, medians of 30."""

import sqlite3
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.ids import new_id
from tests.benchmarks.clients import Teahouse

NOW = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
CONVERSATION = (
    "INSERT INTO conversations (id, user_id, title, title_origin, system_prompt, options, pinned, archived, head_id,"
    " created_at, updated_at) VALUES (?, ?, ?, 'user', '', '{}', 0, 0, ?, ?, ?)"
)
MESSAGE = (
    "INSERT INTO messages (id, conversation_id, parent_id, role, content, thinking, status, superseded, created_at)"
    " VALUES (?, ?, ?, ?, ?, '', 'complete', '[]', ?)"
)


def fill(database: Path, messages: int, conversations: int) -> str:
    """One conversation so long, whose id is returned, beside so many empty ones."""
    connection = sqlite3.connect(database)
    (user_id,) = connection.execute("SELECT id FROM users LIMIT 1").fetchone()
    long = new_id()
    ids = [new_id() for _ in range(messages)]
    rows = [(new_id(), user_id, f"Conversation {i}", None, NOW, NOW) for i in range(conversations)]
    connection.executemany(CONVERSATION, [*rows, (long, user_id, "A long one", ids[-1], NOW, NOW)])
    connection.executemany(
        MESSAGE,
        [
            (ids[i], long, ids[i - 1] if i else None, ("user", "assistant")[i % 2], "Some words of tea. " * 20, NOW)
            for i in range(messages)
        ],
    )
    connection.commit()
    connection.close()
    return long


async def _median_ms(teahouse: Teahouse, path: str) -> float:
    times = []
    for _ in range(30):
        began = time.perf_counter()
        await teahouse.get(path)
        times.append(time.perf_counter() - began)
    return round(statistics.median(times) * 1000, 1)


async def run(teahouse: Teahouse, data_dir: Path) -> dict[str, Any]:
    long = fill(data_dir / "teahouse.db", 500, 2000)
    longer = fill(data_dir / "teahouse.db", 5000, 0)
    return {
        "open_500_messages_ms": await _median_ms(teahouse, f"/conversations/{long}/messages?limit=500"),
        "open_50_of_500_ms": await _median_ms(teahouse, f"/conversations/{long}/messages"),
        "open_50_of_5000_ms": await _median_ms(teahouse, f"/conversations/{longer}/messages"),
        "list_60_of_2000_ms": await _median_ms(teahouse, "/conversations?limit=60"),
    }

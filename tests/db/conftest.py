"""A table to write into, beside the real ones."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.db import sqlite
from app.db.session import Database


@pytest.fixture
async def numbers(tmp_path: Path) -> AsyncIterator[Database]:
    """A database with one table of numbers, `numbers(id, value)`, with one row."""
    path = tmp_path / "numbers.db"
    connection = sqlite.connect(str(path), write=True)
    connection.execute("CREATE TABLE numbers (id INTEGER PRIMARY KEY, value INTEGER NOT NULL CHECK (value < 1000000))")
    connection.execute("INSERT INTO numbers VALUES (1, 0)")
    connection.close()
    database = Database(path)
    yield database
    await database.dispose()

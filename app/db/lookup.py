"""One SELECT, one hop to a thread: for what every request asks, where a session costs more than its answer."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import pysqlite3

from app.db import sqlite
from app.errors import AppError, ErrorKind
from app.i18n import worded


class Lookup(Protocol):
    """Statements are plain SQL with `:name` parameters; each sees what is committed by then."""

    async def all(self, statement: str, parameters: dict[str, Any]) -> Sequence[tuple[Any, ...]]: ...
    async def first(self, statement: str, parameters: dict[str, Any]) -> tuple[Any, ...] | None: ...
    async def close(self) -> None: ...


class SqliteLookup:
    """A reader of its own."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lookup")
        self._connection: Any = None

    async def all(self, statement: str, parameters: dict[str, Any]) -> Sequence[tuple[Any, ...]]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._fetch, statement, parameters)

    async def first(self, statement: str, parameters: dict[str, Any]) -> tuple[Any, ...] | None:
        rows = await self.all(statement, parameters)
        return rows[0] if rows else None

    def _fetch(self, statement: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
        if self._connection is None:
            self._connection = sqlite.connect(self._path, write=False)
        try:
            rows: list[tuple[Any, ...]] = self._connection.execute(statement, parameters).fetchall()
        except pysqlite3.OperationalError as error:
            if error.sqlite_errorname == "SQLITE_READONLY":
                raise  # a look-up that would write is a mistake of ours
            # The next look-up tries with a new connection: this one may hold a file that is gone.
            self._connection.close()
            self._connection = None
            detail = worded("The database is busy. Try again.")
            raise AppError(ErrorKind.unavailable, "database_unavailable", detail, retry_after=2) from error
        return rows

    async def close(self) -> None:
        if self._connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown(wait=False)

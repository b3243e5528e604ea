"""One SELECT, one hop to a thread: for what every request asks, where a session costs more than its answer."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol

import pysqlite3

from app.db import sqlite
from app.errors import AppError, ErrorKind
from app.i18n import worded

Row = tuple[Any, ...]
Waiting = asyncio.Future[list[Row]]
Answer = tuple[Waiting, list[Row], Exception | None]

MOST_AT_ONCE = 16  # nobody waits for the answers of more others


class Lookup(Protocol):
    """Statements are plain SQL with `:name` parameters; each sees what is committed by then."""

    async def all(self, statement: str, parameters: dict[str, Any]) -> Sequence[Row]: ...
    async def first(self, statement: str, parameters: dict[str, Any]) -> Row | None: ...
    async def close(self) -> None: ...


class SqliteLookup:
    """A reader of its own. What is asked at the same time is one visit to its thread."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._asked: SimpleQueue[tuple[Waiting, str, dict[str, Any]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._connection: Any = None

    async def all(self, statement: str, parameters: dict[str, Any]) -> Sequence[Row]:
        loop = asyncio.get_running_loop()
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, args=(loop,), name="lookup", daemon=True)
            self._thread.start()
        waiting: Waiting = loop.create_future()
        self._asked.put((waiting, statement, parameters))
        return await waiting

    async def first(self, statement: str, parameters: dict[str, Any]) -> Row | None:
        rows = await self.all(statement, parameters)
        return rows[0] if rows else None

    async def close(self) -> None:
        if self._thread is not None:
            self._asked.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    # --- in the thread ------------------------------------------------------------------------------------------

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        closing = False
        while not closing:
            asked = [self._asked.get()]
            while len(asked) < MOST_AT_ONCE and not self._asked.empty():
                asked.append(self._asked.get())
            closing = None in asked
            loop.call_soon_threadsafe(_tell, [self._answer(*one) for one in asked if one is not None])
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _answer(self, waiting: Waiting, statement: str, parameters: dict[str, Any]) -> Answer:
        try:
            return waiting, self._fetch(statement, parameters), None
        except Exception as error:
            return waiting, [], error

    def _fetch(self, statement: str, parameters: dict[str, Any]) -> list[Row]:
        if self._connection is None:
            self._connection = sqlite.connect(self._path, write=False)
        try:
            rows: list[Row] = self._connection.execute(statement, parameters).fetchall()
        except pysqlite3.OperationalError as error:
            if error.sqlite_errorname == "SQLITE_READONLY":
                raise  # a look-up that would write is a mistake of ours
            # The next look-up tries with a new connection: this one may hold a file that is gone.
            self._connection.close()
            self._connection = None
            detail = worded("The database is busy. Try again.")
            raise AppError(ErrorKind.unavailable, "database_unavailable", detail, retry_after=2) from error
        return rows


def _tell(answered: Sequence[Answer]) -> None:
    for waiting, rows, error in answered:
        if waiting.done():
            continue  # whoever asked has gone away
        if error is not None:
            waiting.set_exception(error)
        else:
            waiting.set_result(rows)

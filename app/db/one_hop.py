"""Run a statement with one visit to aiosqlite's thread instead of four (cursor, execute, fetch, close).

Measured: a transaction of a dozen statements costs a third, which is what a 202 waits for.
"""

import asyncio
from collections import deque
from typing import Any

from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_cursor

from app.db.machine_turn import MachineTurn

# Kept on aiosqlite's connection: the adapter has slots.
_BEGIN, _READER, _TURN = "teahouse_begin", "teahouse_reader", "teahouse_turn"


class _Result:
    """What the thread leaves of a cursor that it has closed already."""

    __slots__ = ("arraysize", "description", "lastrowid", "rowcount")

    def __init__(self) -> None:
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def close(self) -> None:
        return None


class OneHopCursor(AsyncAdapt_aiosqlite_cursor):
    __slots__ = ()

    def _aenter_cursor(self, cursor: Any) -> Any:
        return cursor

    def _make_new_cursor(self, connection: Any) -> Any:
        return _Result()

    async def _execute_async(self, operation: Any, parameters: Any) -> Any:
        return await self._in_thread("execute", operation, () if parameters is None else parameters)

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> Any:
        return await self._in_thread("executemany", operation, seq_of_parameters)

    async def _in_thread(self, method: str, operation: Any, parameters: Any) -> None:
        connection: Any = self._connection
        result: Any = self._cursor

        begin, turn = vars(connection).pop(_BEGIN, None), vars(connection).get(_TURN)

        def work() -> list[Any]:
            cursor = connection._conn.cursor()
            try:
                if begin is not None:
                    if turn is not None:
                        turn.take()
                    cursor.execute(begin)
                getattr(cursor, method)(operation, parameters)
                result.description, result.rowcount = cursor.description, cursor.rowcount
                result.lastrowid = cursor.lastrowid
                return cursor.fetchall() if cursor.description else []
            finally:
                cursor.close()

        self._rows = deque(await connection._execute(work))


class OneHopConnection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()

    _cursor_cls = OneHopCursor

    def commit(self) -> None:
        if vars(self._connection).pop(_BEGIN, None) is None:
            try:
                super().commit()
            finally:
                self._give()

    def rollback(self) -> None:
        connection: Any = self._connection
        if vars(connection).pop(_BEGIN, None) is not None or not connection._connection:
            return
        if vars(connection).get(_READER):
            # Nobody has to wait for the end of a reading: the thread does it before whatever comes next.
            connection._tx.put_nowait((asyncio.get_running_loop().create_future(), connection._conn.rollback))
        else:
            try:
                super().rollback()
            finally:
                self._give()

    def _give(self) -> None:
        turn: MachineTurn | None = vars(self._connection).get(_TURN)
        if turn is not None:
            turn.give()


def keep_turn(connection: Any, turn: MachineTurn) -> None:
    """Have each transaction of this connection wait for its turn among all processes."""
    vars(connection)[_TURN] = turn


def begin_with_next_statement(connection: Any, statement: str, *, reader: bool) -> None:
    """Have `statement` (BEGIN …) run in the same visit as the transaction's first statement, if it comes to one."""
    vars(connection).update({_BEGIN: statement, _READER: reader})

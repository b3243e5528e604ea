"""Transactions that wait at the same time are made as one: each behind a savepoint of its own, one commit for all.

Apart, each would wait for its turn between two commits of the event log, and go to the thread and back with each
statement: of 200 messages at once the last was accepted after 4 seconds (measured).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, StaticPool, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import monotonic
from app.db import sqlite
from app.db.machine_turn import MachineTurn
from app.db.turn import Turn

T = TypeVar("T")
Step = Callable[[AsyncSession], Coroutine[Any, Any, T]]
"""It may wait for its session and for nothing else: it runs in a thread, without an event loop."""

AFTER_COMMIT = "after_commit"
LONGEST_SECONDS = 0.02  # then the others who want to write have their turn


@dataclass(slots=True, eq=False)
class _Waiting:
    step: Step[Any]
    outcome: asyncio.Future[Any]
    context: Context = field(default_factory=copy_context)  # request id, span
    result: Any = None
    error: Exception | None = None
    after_commit: Sequence[Callable[[], None]] = ()


class SharedTransactions:
    """A connection and a thread for a process's SQLite file."""

    def __init__(self, path: Path, *, synchronous: str, turn: Turn) -> None:
        self._turn, self._among_processes = turn, MachineTurn(path)
        self._line: deque[_Waiting] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="shared-transaction")
        self._task: asyncio.Task[None] | None = None
        self._engine = create_engine(
            "sqlite+pysqlite://",
            creator=lambda: sqlite.connect(str(path), write=True, synchronous=synchronous),
            poolclass=StaticPool,
            hide_parameters=True,  # what people write must not reach the log by way of an error
        )

        @event.listens_for(self._engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    async def run(self, step: Step[T]) -> T:
        """What `step` returns, once it is durable; on any exception of its own it leaves nothing."""
        waiting = _Waiting(step, asyncio.get_running_loop().create_future())
        self._line.append(waiting)
        if self._task is None:
            self._task = asyncio.create_task(self._work_off(), name="shared-transactions")
        result: T = await waiting.outcome
        return result

    async def close(self) -> None:
        if self._task is not None:
            await self._task
        await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.dispose)
        self._thread.shutdown(wait=False)
        self._among_processes.close()

    async def _work_off(self) -> None:
        try:
            while self._line:
                async with self._turn.take():
                    made = await asyncio.get_running_loop().run_in_executor(self._thread, self._make)
                for one in made:
                    self._tell(one)
        finally:
            self._task = None

    def _tell(self, one: _Waiting) -> None:
        for callback in one.after_commit:
            one.context.run(callback)
        if one.outcome.done():
            return  # who wanted it has gone away
        if one.error is not None:
            one.outcome.set_exception(one.error)
        else:
            one.outcome.set_result(one.result)

    # --- in the thread ------------------------------------------------------------------------------------------

    def _make(self) -> list[_Waiting]:
        made: list[_Waiting] = []
        try:
            self._among_processes.take()
            with self._engine.begin() as connection:
                until = monotonic() + LONGEST_SECONDS
                while self._line and (not made or monotonic() < until):
                    one = self._line.popleft()
                    if one.outcome.cancelled():
                        continue
                    is_alone = not made and not self._line
                    made.append(one)
                    _run(connection, one, is_alone=is_alone)
                    if is_alone:
                        break  # it has no savepoint: nobody may join it
        except Exception as error:
            # Nothing could be begun: all who wait by now are told. The loop may add to the line meanwhile.
            waiting = 0 if made else len(self._line)
            made += [self._line.popleft() for _ in range(waiting)]
            for one in made:
                one.error, one.after_commit = one.error or error, ()
        finally:
            self._among_processes.give()
        return made


class _ThreadSession(AsyncSession):
    """A session of a thread of its own, which needs no greenlet to wait in."""

    async def execute(self, *arguments: Any, **keywords: Any) -> Any:
        return self.sync_session.execute(*arguments, **keywords)

    async def scalar(self, *arguments: Any, **keywords: Any) -> Any:
        return self.sync_session.scalar(*arguments, **keywords)

    async def scalars(self, *arguments: Any, **keywords: Any) -> Any:
        return self.sync_session.scalars(*arguments, **keywords)

    async def flush(self, objects: Any = None) -> None:
        self.sync_session.flush(objects)


def _run(connection: Connection, one: _Waiting, *, is_alone: bool) -> None:
    """Leaves its result or its error. Raises when the transaction is lost, or was for this one only."""
    session = _ThreadSession(
        expire_on_commit=False, join_transaction_mode="rollback_only" if is_alone else "create_savepoint"
    )
    session.sync_session.bind = connection
    driver: Any = connection.connection.driver_connection
    try:
        one.result = one.context.run(_drive, one.step(session))
        session.sync_session.commit()
        one.after_commit = session.info.get(AFTER_COMMIT, ())
    except Exception as error:
        # A full disk ends the transaction of all: nothing is left to go back to, and COMMIT would not say so.
        if not driver.in_transaction:
            raise _first(error) from None
        if is_alone:
            raise
        one.error = error
        session.sync_session.rollback()
    session.sync_session.close()


def _first(error: BaseException) -> BaseException:
    """The database's first complaint; those about savepoints that are gone came of it."""
    first = error
    following: BaseException | None = error
    while following is not None:
        if isinstance(following, DBAPIError):
            first = following
        following = following.__context__
    return first


def _drive(step: Coroutine[Any, Any, T]) -> T:
    """To its end in one go: its session is that of a thread, where nothing has to be waited for."""
    try:
        step.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    step.close()
    raise RuntimeError("a step of a shared transaction waited for something else than its session")

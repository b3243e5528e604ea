"""Sessions: who writes takes its turn, who reads never waits, and what follows a commit."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import pysqlite3
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import sqlite
from app.db.engine import create_engine
from app.db.lookup import Lookup, SqliteLookup
from app.db.machine_turn import MachineTurn
from app.db.shared_transaction import AFTER_COMMIT, SharedTransactions, Step, T
from app.db.sqlite import SYNCHRONOUS
from app.db.turn import Turn
from app.errors import AppError, ErrorKind


class Database:
    """The engines of one process on a SQLite file or, by its URL, on PostgreSQL.

    Open it inside the event loop, never before a fork.
    """

    lookup: Lookup
    transient: tuple[type[Exception], ...]  # what a plain connection raises when trying again later may help

    def __init__(self, where: Path | str, *, sync: str = "full") -> None:
        self.where = where
        self.synchronous = SYNCHRONOUS[sync]
        if isinstance(where, str):
            from app.db import postgres

            self.writer = postgres.create_engine(where)
            self.reader = postgres.reader_of(self.writer)
            self.lookup, self.transient = postgres.PostgresLookup(where), postgres.TRANSIENT
            # Every transaction has a connection of its own; who must not meet takes turns by `take_turns`.
            self.turn: Turn | None = None
            self._among_processes: MachineTurn | None = None
            self._shared: SharedTransactions | None = None
            return
        self._among_processes = MachineTurn(where)
        self.writer = create_engine(where, write=True, synchronous=self.synchronous, turn=self._among_processes)
        self.reader = create_engine(where, write=False, synchronous=self.synchronous)
        self.lookup, self.transient = SqliteLookup(where), (pysqlite3.OperationalError,)
        # Sessions and the event log share this process's one right to write: waiting here is fair,
        # waiting in SQLite's busy handler is not.
        self.turn = Turn()
        self._shared = SharedTransactions(where, synchronous=self.synchronous, turn=self.turn)

    @property
    def is_postgres(self) -> bool:
        return isinstance(self.where, str)

    def connect(self, *, write: bool, name: str = "teahouse") -> Any:
        """A plain connection for a thread of its own; whoever opens a transaction on it says BEGIN."""
        return plain_connection(self.where, write=write, name=name, synchronous=self.synchronous)

    def turn_among_processes(self) -> MachineTurn | None:
        """For a plain connection that writes, where the processes of a machine share one right to."""
        return None if isinstance(self.where, str) else MachineTurn(self.where)

    def my_turn(self, *, urgent: bool = False) -> Any:
        """Hold this process's right to write, where there is one only."""
        return self.turn.take(urgent=urgent) if self.turn is not None else nullcontext()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session on one snapshot. Never hold it while waiting for the network or a viewer."""
        with _translated(on_postgres=self.is_postgres):
            session = AsyncSession(self.reader, expire_on_commit=False)
            try:
                yield session
            finally:
                if session.in_transaction():  # one that was never used has nothing to give back
                    await session.__aexit__(None, None, None)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session that may write: commits at the end or, on any exception, leaves nothing."""
        with _translated(on_postgres=self.is_postgres):
            async with self.my_turn(), AsyncSession(self.writer, expire_on_commit=False) as session, session.begin():
                yield session
        for callback in session.info.get(AFTER_COMMIT, ()):
            callback()

    async def in_shared_transaction(self, step: Step[T]) -> T:
        """What `step` returns; on SQLite what waits at the same time is one commit. For what comes in bursts."""
        if self._shared is None:
            async with self.transaction() as session:
                return await step(session)
        with _translated(on_postgres=False):
            return await self._shared.run(step)

    async def dispose(self) -> None:
        if self._shared is not None:
            await self._shared.close()
        await self.writer.dispose()
        await self.reader.dispose()
        await self.lookup.close()
        if self._among_processes is not None:
            self._among_processes.close()


def plain_connection(where: Path | str, *, write: bool, name: str = "teahouse", synchronous: str = "FULL") -> Any:
    """The same without a Database."""
    if isinstance(where, str):
        from app.db.postgres import PlainConnection

        return PlainConnection(where, name=name)
    return sqlite.connect(str(where), write=write, synchronous=synchronous)


def after_commit(session: AsyncSession, callback: Callable[[], None]) -> None:
    """Have `callback` called once the transaction is durable; never called when it is not."""
    session.info.setdefault(AFTER_COMMIT, []).append(callback)


async def take_turns(session: AsyncSession, about: str) -> None:
    """Let one transaction after the other decide about the same thing: call it before the first look.

    On SQLite all that write take turns anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        from app.db.postgres import lock_number

        await session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": lock_number(about)})


class _translated:  # noqa: N801
    """A database that cannot be used now is an answer with Retry-After, not a stack trace."""

    def __init__(self, *, on_postgres: bool) -> None:
        self._on_postgres = on_postgres

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            return
        if isinstance(error, (OperationalError, PoolTimeout)) or (self._on_postgres and _is_passing(error)):
            raise unavailable(error) from error


def _is_passing(error: BaseException) -> bool:
    from app.db.postgres import is_passing

    return is_passing(error)


def unavailable(error: BaseException) -> AppError:
    cause = getattr(error, "orig", error)  # SQLAlchemy's, or the driver's own
    is_full = (getattr(cause, "sqlite_errorname", "") or "").startswith("SQLITE_FULL")
    if is_full or getattr(cause, "sqlstate", "") == "53100":
        return AppError(ErrorKind.unavailable, "storage_full", "The disk is full. Nothing was saved.", retry_after=60)
    return AppError(ErrorKind.unavailable, "database_unavailable", "The database is busy. Try again.", retry_after=2)

"""Sessions: who writes takes its turn, who reads never waits, and what follows a commit."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import create_engine
from app.db.lookup import Lookup
from app.db.machine_turn import MachineTurn
from app.db.sqlite import SYNCHRONOUS
from app.db.turn import Turn
from app.errors import AppError, ErrorKind

AFTER_COMMIT = "after_commit"


class Database:
    """The engines of one process. Open it inside the event loop, never before a fork."""

    def __init__(self, path: Path, *, sync: str = "full") -> None:
        self.path = path
        self.synchronous = SYNCHRONOUS[sync]
        self._among_processes = MachineTurn(path)
        self.writer = create_engine(path, write=True, synchronous=self.synchronous, turn=self._among_processes)
        self.reader = create_engine(path, write=False, synchronous=self.synchronous)
        self.lookup = Lookup(path)
        # Sessions and the event log share this process's one right to write: waiting here is fair,
        # waiting in SQLite's busy handler is not.
        self.turn = Turn()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session on one snapshot. Never hold it while waiting for the network or a viewer."""
        with _translated():
            async with AsyncSession(self.reader, expire_on_commit=False) as session:
                yield session

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session that may write: commits at the end or, on any exception, leaves nothing."""
        with _translated():
            async with self.turn.take(), AsyncSession(self.writer, expire_on_commit=False) as session, session.begin():
                yield session
        for callback in session.info.get(AFTER_COMMIT, ()):
            callback()

    async def dispose(self) -> None:
        await self.writer.dispose()
        await self.reader.dispose()
        await self.lookup.close()
        self._among_processes.close()


def after_commit(session: AsyncSession, callback: Callable[[], None]) -> None:
    """Have `callback` called once the transaction is durable; never called when it is not."""
    session.info.setdefault(AFTER_COMMIT, []).append(callback)


class _translated:  # noqa: N801
    """A database that cannot be used now is an answer with Retry-After, not a stack trace."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, (OperationalError, PoolTimeout)):
            raise unavailable(error) from error


def unavailable(error: Exception) -> AppError:
    name = getattr(getattr(error, "orig", None), "sqlite_errorname", "") or ""
    if name.startswith("SQLITE_FULL"):
        return AppError(ErrorKind.unavailable, "storage_full", "The disk is full. Nothing was saved.", retry_after=60)
    return AppError(ErrorKind.unavailable, "database_unavailable", "The database is busy. Try again.", retry_after=2)

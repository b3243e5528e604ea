"""Two engines on one SQLite file: one writer, a few readers."""

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, PoolResetState, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.db import sqlite
from app.db.machine_turn import MachineTurn
from app.db.one_hop import OneHopConnection, begin_with_next_statement, keep_turn


def create_engine(
    path: Path, *, write: bool, synchronous: str = "FULL", turn: MachineTurn | None = None
) -> AsyncEngine:
    """The writer begins with BEGIN IMMEDIATE and has one connection; readers cannot write and never wait."""
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)),  # whatever characters the path has
        pool_size=1 if write else 4,
        max_overflow=0,
        pool_timeout=5,
        pool_reset_on_return=None,  # sessions end their transactions themselves; the reset would be one more hop
        hide_parameters=True,  # what people write must not reach the log by way of an error
        connect_args={"cached_statements": 256},
    )

    @event.listens_for(engine.sync_engine, "do_connect")
    def do_connect(dialect: Any, _record: object, arguments: Any, keywords: Any) -> Any:
        connection = dialect.connect(*arguments, **keywords)
        connection.__class__ = OneHopConnection
        return connection

    begin_statement = "BEGIN IMMEDIATE" if write else "BEGIN"

    @event.listens_for(engine.sync_engine, "connect")
    def connect(dbapi_connection: Any, _record: object) -> None:
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        for pragma in sqlite.pragmas(write=write, synchronous=synchronous):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        if turn is not None:
            keep_turn(dbapi_connection.driver_connection, turn)
        dbapi_connection.create_function("casefold", 1, sqlite.casefold, deterministic=True)

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        begin_with_next_statement(connection.connection.driver_connection, begin_statement, reader=not write)

    @event.listens_for(engine.sync_engine, "reset")
    def reset(dbapi_connection: Any, _record: object, state: PoolResetState) -> None:
        """A COMMIT that failed leaves its transaction open: the next one must not find it. Costs no hop otherwise."""
        if state.asyncio_safe and dbapi_connection.driver_connection.in_transaction:
            dbapi_connection.rollback()

    return engine

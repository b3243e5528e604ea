"""PostgreSQL: asyncpg for sessions and look-ups, psycopg for threads of their own. Both come with the extra `scale`."""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

import asyncpg
import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.db.spelling import for_asyncpg, for_psycopg
from app.errors import AppError, ErrorKind
from app.i18n import worded

POOL_SIZE, POOL_OVERFLOW = 5, 5
LOOKUP_CONNECTIONS = 3
CONNECT_SECONDS = 5
# Longer than any statement may take (below): then it is the network that has swallowed the answer. Without this asyncpg
# would wait for as long as TCP tries, a quarter of an hour.
ANSWER_SECONDS = 15
# Nobody waits for ever for a row that somebody else holds, and nobody holds one while doing something else.
PATIENCE = {
    "statement_timeout": "10s",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "30s",
    "jit": "off",  # our statements are short: compiling them costs more than they do
}
# A network that swallows everything is noticed in half a minute, not in hours.
_KEEPALIVE: dict[str, Any] = {
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
# By SQLSTATE: connection, resources, rollback for the sake of others, locks, shutdown, I/O. All may pass by themselves.
_PASSING = ("08", "40", "53", "55", "57", "58")

TRANSIENT: tuple[type[Exception], ...] = (psycopg.OperationalError, psycopg.InterfaceError)


# What asyncpg understands in an address. All else it would send on, as if it were a setting of the server.
_ASYNCPG = (
    *("host", "port", "user", "password", "passfile", "dbname", "service", "target_session_attrs", "krbsrvname"),
    *("sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword", "sslnegotiation"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "application_name", "options"),
)


def for_asyncpg_address(url: str) -> str:
    """The address as libpq reads it, spelled for asyncpg."""
    given = conninfo_to_dict(url)
    if "hostaddr" in given:
        given["host"] = given["hostaddr"]
    if "port" in given:  # of several hosts: one for each, or nothing
        given["port"] = ",".join(port or "5432" for port in str(given["port"]).split(","))
    return "postgresql://?" + urlencode({n: given[n] for n in _ASYNCPG if given.get(n) is not None}, quote_via=quote)


def create_engine(url: str) -> AsyncEngine:
    address = for_asyncpg_address(url)

    async def connect(**keywords: Any) -> Any:
        times = {"timeout": CONNECT_SECONDS, "command_timeout": ANSWER_SECONDS}
        return await asyncpg.connect(address, server_settings=PATIENCE, **times, **keywords)

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=5,
        pool_pre_ping=True,
        pool_recycle=1800,
        hide_parameters=True,  # what people write must not reach the log by way of an error
    )

    @event.listens_for(engine.sync_engine, "before_cursor_execute", retval=True)
    def before_execute(_c: Any, _cursor: Any, sql: str, parameters: Any, _context: Any, many: bool) -> Any:
        return sql, [without_nul(row) for row in parameters] if many else without_nul(parameters)

    return engine


def reader_of(engine: AsyncEngine) -> AsyncEngine:
    """The same connections for sessions that see one snapshot and cannot write."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def without_nul(parameters: Any) -> Any:
    """PostgreSQL's text has no place for a NUL, which a model may say: it becomes the sign for what cannot be shown."""
    if isinstance(parameters, dict):
        return {name: _shown(value) for name, value in parameters.items()}
    return tuple(map(_shown, parameters))


def _shown(value: Any) -> Any:
    return value.replace("\0", "\ufffd") if isinstance(value, str) and "\0" in value else value


class PlainConnection:
    """What pysqlite3's connection is to SQLite: for a thread of its own, transactions begun by hand.

    One that was cut connects anew at the next BEGIN. `name` is what other processes see of it, see jobs/liveness.py.
    """

    def __init__(self, url: str, *, name: str = "teahouse") -> None:
        self._url, self._name = url, name
        self._connection = self._connect()
        self._held: set[str] = set()

    def _connect(self) -> "psycopg.Connection[Any]":
        own = " ".join(f"-c {setting}={value}" for setting, value in PATIENCE.items())
        given = conninfo_to_dict(self._url).get("options") or ""
        return psycopg.connect(
            self._url,
            autocommit=True,
            application_name=self._name,
            connect_timeout=CONNECT_SECONDS,
            options=f"{given} {own}".strip(),
            **_KEEPALIVE,
        )

    @property
    def in_transaction(self) -> bool:
        return self._connection.info.transaction_status not in (
            psycopg.pq.TransactionStatus.IDLE,
            psycopg.pq.TransactionStatus.UNKNOWN,
        )

    def execute(self, statement: str, parameters: Any = (), /) -> Any:
        if statement.startswith("BEGIN"):
            self._held.clear()
            if self._connection.closed:
                self._connection = self._connect()
        return self._connection.execute(for_psycopg(statement), without_nul(parameters))

    def executemany(self, statement: str, parameters: Any, /) -> Any:
        cursor = self._connection.cursor()
        cursor.executemany(for_psycopg(statement), [without_nul(row) for row in parameters])
        return cursor

    def hold(self, about: str) -> None:
        """See app.db.turn.hold."""
        if about not in self._held:
            self.execute("SELECT pg_advisory_xact_lock(?)", (lock_number(about),))
            self._held.add(about)

    def close(self) -> None:
        self._connection.close()


class PostgresLookup:
    """One SELECT, one round trip, on connections of its own."""

    def __init__(self, url: str) -> None:
        self._address = for_asyncpg_address(url)
        self._pool: asyncpg.Pool[Any] | None = None
        self._opening = asyncio.Lock()

    async def all(self, statement: str, parameters: dict[str, Any]) -> Sequence[tuple[Any, ...]]:
        sql, names = for_asyncpg(statement)
        try:
            pool = self._pool or await self._open()
            async with pool.acquire(timeout=CONNECT_SECONDS) as connection:
                rows: list[tuple[Any, ...]] = await connection.fetch(sql, *(_shown(parameters[name]) for name in names))
        except Exception as error:
            if is_passing(error):
                detail = worded("The database is busy. Try again.")
                raise AppError(ErrorKind.unavailable, "database_unavailable", detail, retry_after=2) from error
            raise
        return rows

    async def first(self, statement: str, parameters: dict[str, Any]) -> tuple[Any, ...] | None:
        rows = await self.all(statement, parameters)
        return rows[0] if rows else None

    async def _open(self) -> "asyncpg.Pool[Any]":
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._address,
                    min_size=1,
                    max_size=LOOKUP_CONNECTIONS,
                    timeout=CONNECT_SECONDS,
                    command_timeout=ANSWER_SECONDS,
                    server_settings={**PATIENCE, "default_transaction_read_only": "on"},
                    reset=_as_it_was,
                )
        return self._pool

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()


async def _as_it_was(_connection: Any) -> None:
    """A look-up leaves nothing behind: what the pool does by default would be one more round trip."""


def is_passing(error: BaseException) -> bool:
    """Whether trying again later may help: the server restarts, the network is cut, somebody else holds a lock."""
    if isinstance(error, InterfaceError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return True
    if isinstance(error, DBAPIError):
        return (getattr(error.orig, "sqlstate", "") or "").startswith(_PASSING)
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "").startswith(_PASSING)
    return isinstance(error, (OSError, TimeoutError, asyncpg.InterfaceError))


def lock_number(key: str) -> int:
    """Of an advisory lock: the same in every process."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), signed=True)

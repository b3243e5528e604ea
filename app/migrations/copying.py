"""Copy everything from one database to another, SQLite or PostgreSQL: one snapshot, one transaction, then compared."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Table

from app import migrations
from app.all_models import Base
from app.db import sqlite
from app.db.types import Flag

ROWS_AT_ONCE = 2000
FED_BY_TRIGGERS = {"queue_moves"}  # copying another table fills it
NOT_COPIED = {"user_events"}  # each database numbers its own; clients get `reset` after the move
# A server that was only started has written there which secret it has.
REPLACED = FED_BY_TRIGGERS | NOT_COPIED | {"server_settings"}
Database = Path | str
_SERVED = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'process-%'
"""


class CopyError(Exception):
    """Nothing was copied; the target is as it was."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What a table holds: its number of rows, and the sum of their digests, which no order changes."""

    rows: int
    digest: str


def copy(source: Database, target: Database, told: Callable[[str, Sum], None]) -> None:
    """All or nothing: until the comparison has succeeded nothing is in the target. `told` of each table."""
    if migrations.current_revision(source) != migrations.newest_revision():
        raise CopyError("The source is not up to date: run `teahouse db upgrade` on it first.")
    migrations.upgrade(target)
    with _opened(source) as reading, _opened(target) as writing:
        reading.begin(write=False)
        writing.begin(write=True)
        for table in Base.metadata.sorted_tables:
            if table.name not in REPLACED and writing.count(table):
                raise CopyError(f"The target is not empty: it has rows in {table.name}.")
        for table in sorted(Base.metadata.sorted_tables, key=lambda table: table.name in FED_BY_TRIGGERS | NOT_COPIED):
            if table.name in REPLACED:
                writing.clear(table)
            if table.name in NOT_COPIED:
                continue
            writing.insert(table, reading.rows(table))
            here, there = _sum(reading.rows(table)), _sum(writing.rows(table))
            if here != there:
                raise CopyError(f"{table.name} did not arrive as it left: {here} became {there}.")
            told(table.name, here)
        writing.commit()


def is_served(database: Database) -> bool:
    """Whether a server works on it now: what it then writes would be lost."""
    if isinstance(database, str):
        import psycopg

        with psycopg.connect(database) as connection:
            row = connection.execute(_SERVED).fetchone()
            return row is not None and row[0] > 0
    from app.jobs.liveness import anybody_alive

    return anybody_alive(database.parent / "run")


def _sum(rows: Iterable[tuple[Any, ...]]) -> Sum:
    count = total = 0
    for row in rows:
        count += 1
        total += int.from_bytes(hashlib.sha256(repr(row).encode()).digest()[:16])
    return Sum(count, f"{total % 2**128:032x}")


def _booleans(table: Table) -> list[bool]:
    """Which columns PostgreSQL keeps as true and false. Everything else is the same in both."""
    return [isinstance(column.type, Boolean) and not isinstance(column.type, Flag) for column in table.columns]


def _names(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


class _Sqlite:
    def __init__(self, path: Path) -> None:
        self._connection = sqlite.connect(str(path), write=True)

    def begin(self, *, write: bool) -> None:
        self._connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")

    def count(self, table: Table) -> int:
        return int(self._connection.execute(f'SELECT count(*) FROM "{table.name}"').fetchone()[0])  # noqa: S608

    def clear(self, table: Table) -> None:
        self._connection.execute(f'DELETE FROM "{table.name}"')  # noqa: S608

    def rows(self, table: Table) -> Iterator[tuple[Any, ...]]:
        """Values as PostgreSQL has them: what it has no place for is replaced, as everywhere."""
        for row in self._connection.execute(f'SELECT {_names(table)} FROM "{table.name}"'):  # noqa: S608
            yield tuple(v.replace("\0", "\ufffd") if isinstance(v, str) and "\0" in v else v for v in row)

    def insert(self, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
        places = ", ".join("?" * len(table.columns))
        self._connection.executemany(f'INSERT INTO "{table.name}" ({_names(table)}) VALUES ({places})', rows)  # noqa: S608

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


class _Postgres:
    def __init__(self, url: str) -> None:
        import psycopg

        self._connection = psycopg.connect(url, autocommit=True, connect_timeout=5)

    def begin(self, *, write: bool) -> None:
        self._connection.execute("BEGIN" if write else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def count(self, table: Table) -> int:
        (count,) = self._connection.execute(f'SELECT count(*) FROM "{table.name}"').fetchone() or (0,)  # noqa: S608
        return int(count)

    def clear(self, table: Table) -> None:
        self._connection.execute(f'DELETE FROM "{table.name}"')  # noqa: S608

    def rows(self, table: Table) -> Iterator[tuple[Any, ...]]:
        """True and false as SQLite has them."""
        with self._connection.cursor("rows") as cursor:
            cursor.itersize = ROWS_AT_ONCE
            cursor.execute(f'SELECT {_names(table)} FROM "{table.name}"')  # noqa: S608
            for row in cursor:
                yield tuple(int(value) if isinstance(value, bool) else value for value in row)

    def insert(self, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
        booleans = _booleans(table)
        with self._connection.cursor() as cursor:
            with cursor.copy(f'COPY "{table.name}" ({_names(table)}) FROM STDIN') as copying:
                for row in rows:
                    copying.write_row([bool(v) if b else v for v, b in zip(row, booleans, strict=True)])
            if table.name == "job_events":  # new rows are numbered on from here
                numbered = "SELECT setval(pg_get_serial_sequence('job_events', 'id'), max(id)) FROM job_events"
                cursor.execute(f"{numbered} HAVING max(id) IS NOT NULL")

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


@contextmanager
def _opened(database: Database) -> "Iterator[_Sqlite | _Postgres]":
    """Closed without a commit it leaves nothing."""
    with closing(_Postgres(database) if isinstance(database, str) else _Sqlite(database)) as opened:
        yield opened

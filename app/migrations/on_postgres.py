"""The same on PostgreSQL: an advisory lock in place of the file's, one transaction in place of the snapshot."""

from getpass import getuser
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from app import migrations
from app.db.postgres import lock_number

_TABLES = """
SELECT table_name FROM information_schema.tables
WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND table_name <> 'alembic_version'
"""

_CLOSED = """
SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
  AND NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
    AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE')) LIMIT 1
"""


def current_revision(url: str) -> str | None:
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        return _revision(connection)


def _revision(connection: "psycopg.Connection[Any]") -> str | None:
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    return row[0] if row else None


def upgrade(url: str) -> bool:
    # The lock has a connection of its own: whatever becomes of the migration, it is held until that is decided.
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        if not migrations.is_behind(_revision(connection)):
            return False
        encoding = connection.execute("SHOW server_encoding").fetchone()
        if encoding != ("UTF8",):
            raise migrations.MigrationError("The database must be made with ENCODING 'UTF8'.")
        connection.execute("SELECT pg_advisory_lock(%s)", (lock_number("teahouse migrations"),))
        if not migrations.is_behind(_revision(connection)):
            return False
        _migrate(url)
    return True


def _migrate(url: str) -> None:
    from alembic import command
    from sqlalchemy.exc import DBAPIError

    try:
        with sync_engine(url).connect() as connection, connection.begin():
            before = row_counts(connection)
            command.upgrade(migrations.alembic_config(connection), "head")
            lost = migrations.changed(before, row_counts(connection))
            if lost:
                raise migrations.MigrationError(f"The migration would lose data ({lost}); nothing was changed.")
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise _not_the_owner(url, error.orig) from None
        raise


def check_rights(url: str) -> None:
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        if connection.execute("SHOW transaction_read_only").fetchone() == ("on",):
            raise migrations.MigrationError("This PostgreSQL takes nothing that is written. Is it a standby?")
        closed = connection.execute(_CLOSED).fetchone()
    if closed is not None:
        raise _not_the_owner(url, f"permission denied for table {closed[0]}")


def _not_the_owner(url: str, reason: object) -> migrations.MigrationError:
    given = conninfo_to_dict(url)
    role = given.get("user") or getuser()
    text = f"PostgreSQL: {str(reason).splitlines()[0]}. The role must own the database and its tables: "
    return migrations.MigrationError(f"{text}ALTER DATABASE {given.get('dbname') or role} OWNER TO {role}")


def row_counts(connection: Any) -> dict[str, int]:
    tables = connection.exec_driver_sql(_TABLES).fetchall()
    return {t: connection.exec_driver_sql(f'SELECT count(*) FROM "{t}"').fetchone()[0] for (t,) in tables}  # noqa: S608


def sync_engine(url: str) -> Any:
    """A plain engine for migrations and comparisons."""
    from sqlalchemy import NullPool, create_engine

    return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)

"""The same on PostgreSQL: an advisory lock in place of the file's, one transaction in place of the snapshot."""

from typing import Any

import psycopg

from app import migrations
from app.db.postgres import lock_number

_TABLES = """
SELECT table_name FROM information_schema.tables
WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND table_name <> 'alembic_version'
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

    with sync_engine(url).connect() as connection, connection.begin():
        before = row_counts(connection)
        command.upgrade(migrations.alembic_config(connection), "head")
        lost = migrations.changed(before, row_counts(connection))
        if lost:
            raise migrations.MigrationError(f"The migration would lose data ({lost}); nothing was changed.")


def row_counts(connection: Any) -> dict[str, int]:
    tables = connection.exec_driver_sql(_TABLES).fetchall()
    return {t: connection.exec_driver_sql(f'SELECT count(*) FROM "{t}"').fetchone()[0] for (t,) in tables}  # noqa: S608


def sync_engine(url: str) -> Any:
    """A plain engine for migrations and comparisons."""
    from sqlalchemy import NullPool, create_engine

    return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)

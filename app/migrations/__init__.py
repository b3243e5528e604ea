"""Bring the schema up to date: under a lock, after a snapshot, all or nothing."""

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pysqlite3 import OperationalError

from app.clock import utcnow
from app.db import sqlite

logger = logging.getLogger(__name__)

VERSIONS = Path(__file__).parent / "versions"
ROOT = Path(__file__).parent.parent.parent
SNAPSHOTS_KEPT = 5


class MigrationError(Exception):
    """The schema could not be brought up to date; the database is as it was."""


def newest_revision() -> str:
    """By the files' numbers: Alembic is not loaded to learn that nothing is to be done."""
    return max(path.name.split("_")[0] for path in VERSIONS.glob("[0-9]*.py"))


def current_revision(database: Path | str) -> str | None:
    if isinstance(database, str):
        found: str | None = _on_postgres().current_revision(database)
        return found
    if not database.exists():
        return None
    connection = sqlite.connect(str(database), write=False)
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except OperationalError:
        return None
    finally:
        connection.close()
    return row[0] if row else None


def is_current(database: Path | str) -> bool:
    return current_revision(database) == newest_revision()


def upgrade(database: Path | str) -> bool:
    """Migrate if needed; whether anything was done. Several processes may call it at once: one works, others wait."""
    if isinstance(database, str):
        done: bool = _on_postgres().upgrade(database)
        return done
    database.parent.mkdir(parents=True, exist_ok=True)
    if is_current(database):
        return False
    with _lock(database.parent / "migrate.lock"):
        current = current_revision(database)
        if not is_behind(current):
            return False
        if current is not None:
            snapshot(database, f"before-{newest_revision()}")
        _migrate(database)
        if current is None:
            _hide(database)
    return True


def _on_postgres() -> Any:
    from app.migrations import on_postgres

    return on_postgres


def check_rights(database: Path | str) -> None:
    """Raises where the tables are there and this role may not write into them: each message would be refused."""
    if isinstance(database, str):
        _on_postgres().check_rights(database)


def is_behind(current: str | None) -> bool:
    """Whether there is something to migrate; a database from the future is refused."""
    if current is not None and current > newest_revision():
        raise MigrationError(f"The database is at {current}, newer than this program ({newest_revision()}).")
    return current != newest_revision()


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def snapshot(database: Path, name: str) -> Path:
    """A consistent copy beside the database. Never by reading the file: its WAL would be missing."""
    folder = database.parent / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{name}-{utcnow():%Y%m%dT%H%M%S%f}.db"
    draft = path.with_suffix(".part")  # a copy that was broken off must not look like one
    for left in folder.glob("*.part"):
        left.unlink()
    connection = sqlite.connect(str(database), write=True)
    try:
        connection.execute("VACUUM INTO ?", (str(draft),))
    finally:
        connection.close()
    draft.rename(path)
    for old in sorted(folder.glob("before-*.db"), key=lambda p: p.stat().st_mtime)[:-SNAPSHOTS_KEPT]:
        old.unlink()
    logger.info("snapshot of the database: %s", path)
    return path


def _hide(database: Path) -> None:
    """A new database is its owner's, whatever the folder lets others see. Opening it would take locks away."""
    for file in (database, *(database.with_name(f"{database.name}-{end}") for end in ("wal", "shm"))):
        with contextlib.suppress(FileNotFoundError):
            file.chmod(0o600)


def _migrate(database: Path) -> None:
    from alembic import command

    with sync_engine(database).connect() as connection:
        # Without this a batch migration's DROP would delete every child row by cascade; inside a
        # transaction the pragma does nothing.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        before = row_counts(connection)
        command.upgrade(alembic_config(connection), "head")
        after = row_counts(connection)
        lost = changed(before, after)
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if lost or broken:
            connection.exec_driver_sql("ROLLBACK")
            raise MigrationError(f"The migration would lose data ({lost or broken[:3]}); nothing was changed.")
        connection.exec_driver_sql("COMMIT")


def changed(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """Tables that have other numbers of rows than before."""
    return {table: n for table, n in before.items() if table in after and after[table] != n}


def row_counts(connection: Any) -> dict[str, int]:
    tables = connection.exec_driver_sql(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'alembic_version'"
    ).fetchall()
    return {t: connection.exec_driver_sql(f'SELECT count(*) FROM "{t}"').fetchone()[0] for (t,) in tables}  # noqa: S608


def sync_engine(database: Path | str) -> Any:
    """A plain engine for migrations; transactions are begun by hand."""
    from sqlalchemy import NullPool, create_engine

    if isinstance(database, str):
        return _on_postgres().sync_engine(database)

    path = str(database)
    return create_engine("sqlite://", creator=lambda: sqlite.connect(path, write=True), poolclass=NullPool)


def alembic_config(connection: Any) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))  # % begins a name there
    config.attributes["connection"] = connection
    return config

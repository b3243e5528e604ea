"""`teahouse db`: bring the database up to date, ask where it stands, check that it is sound."""

import time
from pathlib import Path
from typing import Any

import typer

from app.cli.terminal import Exit, fail, read_settings, say, working
from app.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Bring the database up to date, ask where it stands, check it.")


@app.command()
def upgrade() -> None:
    """Bring the database up to date. A snapshot goes to <data>/backups first.

    \b
    `teahouse serve` does this by itself; call it to migrate before a deploy:
      teahouse db upgrade
    """
    settings = read_settings()
    done = migrate(settings)
    say(f"{settings.database_path} {'is now' if done else 'was already'} at {_current(settings)}.")


@app.command()
def current() -> None:
    """Print the revision of the database; nothing if there is none yet.

    \b
    Example:
      teahouse db current
    """
    if (revision := _current(read_settings())) is not None:
        say(revision)


@app.command()
def check() -> None:
    """Check that the database is up to date, sound, and what the program expects. Changes nothing.

    \b
    Example, for a timer that mails what goes wrong:
      teahouse db check || mail -s "Teahouse" admin@example.org
    """
    from app import migrations

    settings = read_settings()
    path = settings.database_path
    revision = _current(settings)
    if revision is None:
        fail(f"{path} is not there yet. `teahouse db upgrade` makes it.")
    if revision != migrations.newest_revision():
        fail(f"{path} is at {revision}, this program at {migrations.newest_revision()}.")
    with working("Checking the database"):
        found = [*damage(path), *_differences(path)]
    if found:
        fail("\n".join([f"{path} is not sound:", *found]))
    say(f"{path} is at {revision} and sound.")


def migrate(settings: Settings) -> bool:
    """Make the data directory and bring its database up to date; ends the command where that is impossible."""
    import pysqlite3

    from app import migrations

    try:
        # Secrets and conversations lie here: nobody else's to read.
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.database_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if migrations.is_current(settings.database_path):
            return False
        with working("Bringing the database up to date"):
            return migrations.upgrade(settings.database_path)
    except migrations.MigrationError as error:
        fail(str(error))
    except OSError as error:
        fail(f"TEAHOUSE_DATA_DIR: {settings.data_dir.absolute()}: {error.strerror}", Exit.bad_settings)
    except pysqlite3.Error as error:
        fail(f"TEAHOUSE_DATA_DIR: {settings.database_path.absolute()}: {error}", Exit.bad_settings)


def _current(settings: Settings) -> str | None:
    import pysqlite3

    from app import migrations

    try:
        return migrations.current_revision(settings.database_path)
    except pysqlite3.Error as error:
        fail(f"TEAHOUSE_DATA_DIR: {settings.database_path.absolute()}: {error}", Exit.bad_settings)


def damage(database: Path, within: float | None = None) -> list[str]:
    """What SQLite finds wrong with its pages and references; TimeoutError when `within` seconds are not enough."""
    import pysqlite3

    from app.db import sqlite

    connection = sqlite.connect(str(database), write=False)
    if within is not None:
        until = time.monotonic() + within
        connection.set_progress_handler(lambda: int(time.monotonic() > until), 10_000)
    try:
        pages = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(10)")]
        broken = connection.execute("PRAGMA foreign_key_check").fetchmany(10)
    except pysqlite3.OperationalError as error:
        if error.sqlite_errorname != "SQLITE_INTERRUPT":
            raise
        raise TimeoutError from error
    finally:
        connection.close()
    return [text for text in pages if text != "ok"] + [f"{row[0]}: row {row[1]} points to nothing" for row in broken]


def _differences(database: Path) -> list[str]:
    return [f"differs from the program: {difference}" for difference in drift(database)]


def drift(database: Path) -> list[str]:
    """What Alembic would change to make the schema what the models say: `add_index ix_messages_tree`."""
    return [_named(difference) for difference in _compared(database)]


def _named(difference: Any) -> str:
    """Of a column's changes Alembic makes a list."""
    if isinstance(difference, list):
        return "; ".join(map(_named, difference))
    parts = [part if isinstance(part, str) else getattr(part, "name", None) for part in difference]
    return " ".join(part for part in parts if isinstance(part, str))


def _compared(database: Path) -> list[Any]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from app import migrations
    from app.all_models import Base

    with migrations.sync_engine(database).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))

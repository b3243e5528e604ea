"""`teahouse db`: bring the database up to date, ask where it stands, check that it is sound."""

import os
import time
from pathlib import Path
from typing import Any, NoReturn

import typer

from app.cli.terminal import Exit, fail, read_settings, say, working
from app.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Bring the database up to date, ask where it stands, check it.")


@app.command()
def upgrade() -> None:
    """Bring the database up to date. A snapshot of a SQLite file goes to <data>/backups first.

    \b
    `teahouse serve` does this by itself; call it to migrate before a deploy:
      teahouse db upgrade
    """
    settings = read_settings()
    done = migrate(settings)
    say(f"{settings.database_name} {'is now' if done else 'was already'} at {_current(settings)}.")


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
    name, database = settings.database_name, settings.database
    revision = _current(settings)
    if revision is None:
        fail(f"{name} is not there yet. `teahouse db upgrade` makes it.")
    if revision != migrations.newest_revision():
        fail(f"{name} is at {revision}, this program at {migrations.newest_revision()}.")
    with working("Checking the database"):
        found = [*(damage(database) if isinstance(database, Path) else ()), *_differences(database)]
    if found:
        fail("\n".join([f"{name} is not sound:", *found]))
    say(f"{name} is at {revision} and sound.")


@app.command()
def copy(
    source: str = typer.Argument(..., help="sqlite:///FILE or postgresql://…"),
    target: str = typer.Argument("", help="The same; it must be empty.", show_default="the database of the settings"),
) -> None:
    """Copy everything from one database to another, and compare. Stop the server first.

    All or nothing: one that was broken off is begun again. The secret is not in the database: keep data/secret.key.

    \b
    From one machine to many, and back:
      teahouse db copy sqlite:///data/teahouse.db       # to where TEAHOUSE_DATABASE_URL says
      teahouse db copy postgresql://teahouse@db.example.org/teahouse sqlite:///copy/teahouse.db
    """
    from app import migrations
    from app.migrations import copying

    at = [_settings_of("SOURCE", source), _settings_of("TARGET", target) if target else read_settings()]
    if at[0].database == at[1].database:
        fail("Source and target are the same.", Exit.bad_settings)
    errors: tuple[type[Exception], ...] = (*(driver_errors(settings) for settings in at), OSError)
    try:
        for settings in at:
            if copying.is_served(settings.database):
                fail(f"A server is running on {settings.database_name}. Stop it first.", Exit.not_allowed)
        with working("Copying"):
            copying.copy(
                at[0].database,
                at[1].database,
                lambda table, held: say(f"{held.rows:>10} {table:<20} {held.digest}"),
            )
    except (copying.CopyError, migrations.MigrationError) as error:
        fail(str(error))
    except errors as error:
        fail(first_line(error))
    say("Every row has arrived as it left.")


def _settings_of(what: str, address: str) -> Settings:
    try:
        return Settings(_env_file=None, database_url=address, jobs_engine="embedded")
    except ValueError:
        fail(f"{what} must be sqlite:///FILE or postgresql://…", Exit.bad_settings)


TRUSTS_EVERYBODY = "TEAHOUSE_TRUSTED_PROXIES=*: anybody who can reach the port can claim any address."


def unusable_files(settings: Settings) -> list[Path]:
    """Files that the server writes and this user may not: somebody else, root mostly, has run a command there."""
    database = settings.database_path
    files = [settings.data_dir / "secret.key"]
    if not settings.on_postgres:
        files += [database, *(database.with_name(f"{database.name}-{end}") for end in ("wal", "shm"))]
    usable = os.R_OK | os.W_OK
    return [file for file in files if file.exists() and not os.access(file, usable, effective_ids=True)]


def migrate(settings: Settings) -> bool:
    """Make the data directory and bring its database up to date; ends the command where that is impossible."""
    from app import migrations

    try:
        for file in unusable_files(settings):
            text = f"{file.absolute()} is {owner_of(file)}'s and cannot be written."
            fail(f"{text} Give it to the user who runs the server: chown -R … {settings.data_dir.absolute()}")
        if "*" in settings.trusted_proxies:
            say(TRUSTS_EVERYBODY)
        is_current = migrations.is_current(settings.database)
        # Secrets and conversations lie here: nobody else's to read.
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.database_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        done = False
        if not is_current:
            with working("Bringing the database up to date"):
                done = migrations.upgrade(settings.database)
        migrations.check_rights(settings.database)
        return done
    except migrations.MigrationError as error:
        fail(str(error))
    except OSError as error:
        fail(f"TEAHOUSE_DATA_DIR: {settings.data_dir.absolute()}: {error.strerror}", Exit.bad_settings)
    except driver_errors(settings) as error:
        _unusable(settings, error)


def owner_of(file: Path) -> str:
    try:
        return file.owner()
    except KeyError:  # a number without a name
        return f"user {file.stat().st_uid}"


def _current(settings: Settings) -> str | None:
    from app import migrations

    try:
        return migrations.current_revision(settings.database)
    except driver_errors(settings) as error:
        _unusable(settings, error)


def driver_errors(settings: Settings) -> type[Exception]:
    """What the database's driver raises."""
    if settings.on_postgres:
        import psycopg

        return psycopg.Error
    import pysqlite3

    error: type[Exception] = pysqlite3.Error
    return error


REACHABLE = "Is it running? Are address, user and password in TEAHOUSE_DATABASE_URL right?"


def first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]


def _unusable(settings: Settings, error: Exception) -> NoReturn:
    setting = "TEAHOUSE_DATABASE_URL" if settings.on_postgres else "TEAHOUSE_DATA_DIR"
    fail(f"{setting}: {settings.database_name}: {first_line(error)}", Exit.bad_settings)


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


def _differences(database: Path | str) -> list[str]:
    return [f"differs from the program: {difference}" for difference in drift(database)]


def drift(database: Path | str) -> list[str]:
    """What Alembic would change to make the schema what the models say: `add_index ix_messages_tree`."""
    return [_named(difference) for difference in _compared(database)]


def _named(difference: Any) -> str:
    """Of a column's changes Alembic makes a list."""
    if isinstance(difference, list):
        return "; ".join(map(_named, difference))
    parts = [part if isinstance(part, str) else getattr(part, "name", None) for part in difference]
    return " ".join(part for part in parts if isinstance(part, str))


def _compared(database: Path | str) -> list[Any]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from app import migrations
    from app.all_models import Base

    with migrations.sync_engine(database).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))

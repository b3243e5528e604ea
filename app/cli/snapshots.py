"""`teahouse db restore-snapshot`: one command back from a migration."""

import shutil
from pathlib import Path

import pysqlite3
import typer

from app.cli.terminal import Exit, fail, read_settings, say, working

MIGRATIONS = "before-[0-9]*.db"


def restore_snapshot(
    path: Path | None = typer.Argument(None, help="A snapshot of <data>/backups; default: the newest of a migration."),
) -> None:
    """Put the database back as it was before the last migration. The server must be stopped.

    \b
    What was written since then is kept in a snapshot of its own. Then start the program of that time:
      teahouse db restore-snapshot
      teahouse db restore-snapshot data/backups/before-0002-20261124T033000123456.db
    """
    from app import migrations
    from app.cli.backup import put_database_in_place, refuse_postgres
    from app.cli.db import damage
    from app.jobs.liveness import anybody_alive

    settings = read_settings()
    refuse_postgres(settings)
    database = settings.database_path
    chosen = path or max(
        (database.parent / "backups").glob(MIGRATIONS), key=lambda each: each.stat().st_mtime, default=None
    )
    if chosen is None or not chosen.is_file():
        fail(f"{chosen or database.parent / 'backups' / MIGRATIONS} is not there: no migration has left a snapshot.")
    if anybody_alive(settings.run_dir):
        fail("A server is running on this data. Stop it first.", Exit.not_allowed)
    draft = database.with_name(database.name + ".new")
    try:
        with working("Checking the snapshot"):
            # A copy, first of all: the snapshot of what is there now may push the oldest one out.
            shutil.copyfile(chosen, draft)
            draft.chmod(0o600)
            revision = migrations.current_revision(draft)
            if revision is None or (found := damage(draft)):
                fail(f"{chosen} is no database of Teahouse, or is damaged: {found[0] if revision else 'no revision'}")
        kept = put_database_in_place(draft, database)
    except pysqlite3.DatabaseError as error:
        fail(f"{chosen} is no database of Teahouse, or is damaged: {error}")
    except OSError as error:
        fail(f"{error.filename or chosen}: {error.strerror}")
    finally:
        for left in ("", "-wal", "-shm"):
            draft.with_name(draft.name + left).unlink(missing_ok=True)
    say(f"{database} is as it was in {chosen.name}, at {revision}.")
    if kept is not None:
        say(f"What was here before: {kept}")
    if revision != migrations.newest_revision():
        say(
            f"This program is at {migrations.newest_revision()} and would migrate it again: start the one of that time."
        )

"""`teahouse backup` and `teahouse restore`."""

import os
from pathlib import Path

import typer

from app.cli.terminal import Exit, fail, read_settings, say, working
from app.settings import Settings

KEEP = 7


def backup(
    folder: Path | None = typer.Argument(None, help="Where to; default: <data>/backups. Better on another disk."),
    keep: int = typer.Option(KEEP, min=1, help="How many backups stay in the folder; older ones are removed."),
    key: str | None = typer.Option(None, help="Encrypt: age1…, or a file with a passphrase. Else TEAHOUSE_BACKUP_KEY."),
) -> None:
    """Write everything into one checked file, while the server runs.

    \b
    Database and secret, consistent as of one moment. Keep the file as safe as the server itself:
      teahouse backup
      teahouse backup /mnt/backups --keep 30
      teahouse backup /mnt/backups --key age1pckfflxa6dkn35lufzw4k4hwkqdxlmuw3tg8yykvz7g9ga95w99sqfk6pu
    """
    from app.cli import archive
    from app.cli.backup_keys import key_to_write
    from app.security.keys import FILE

    settings = read_settings()
    refuse_postgres(settings)
    to = key_to_write(key or settings.backup_key)
    if not settings.database_path.exists():
        fail(f"{settings.database_path.absolute()} is not there: nothing to back up.")
    where = folder or settings.data_dir / "backups"
    os.nice(19)  # whoever is chatting comes first
    try:
        with working("Backing up"):
            path, contents = archive.write(settings.database_path, settings.data_dir / FILE, where, to)
            removed = archive.prune(where, keep)
    except archive.ArchiveError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{where}: {error.strerror}")
    how = "encrypted, checked" if to else "checked"
    say(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {how}. {_told(contents.rows)}")
    if removed:
        say(f"Removed {len(removed)} older.")


def restore(
    path: Path = typer.Argument(..., help="A file that `teahouse backup` has written."),
    key: Path | None = typer.Option(None, help="Of an encrypted one: the file with the key, or with the passphrase."),
) -> None:
    """Put a backup in place of what is there, which is kept beside it. The server must be stopped.

    \b
    Accounts, conversations and sign-ins are as they were; answers that were being written then are finished:
      teahouse restore /mnt/backups/teahouse-20261124T033000Z.tar.gz
      teahouse restore teahouse-20261124T033000Z.tar.gz.age --key /media/stick/teahouse.key
    """
    from app.cli import archive
    from app.cli.backup_keys import key_to_read
    from app.jobs.liveness import anybody_alive

    settings = read_settings()
    refuse_postgres(settings)
    if not path.is_file():
        fail(f"{path} is not there.")
    if anybody_alive(settings.run_dir):
        fail("A server is running on this data. Stop it first.", Exit.not_allowed)
    by = key_to_read(str(key) if key else settings.backup_key) if archive.is_encrypted(path) else None
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with working("Checking the backup"), archive.opened(path, settings.data_dir, by) as (unpacked, contents):
            archive.refuse_newer(contents)
            kept = _put_in_place(settings, unpacked)
    except archive.ArchiveError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or settings.data_dir}: {error.strerror}")
    say(f"Restored {path.name}, made {contents.made_at}. {_told(contents.rows)}")
    if kept is not None:
        say(f"What was here before: {kept}")


def refuse_postgres(settings: Settings) -> None:
    if settings.on_postgres:
        fail(
            f"The data is in {settings.database_name}: pg_dump and pg_restore are its tools."
            f" Keep {settings.data_dir / 'secret.key'} with what they write.",
            Exit.bad_settings,
        )


def _put_in_place(settings: Settings, unpacked: Path) -> Path | None:
    """Where the database that was there is now."""
    from app.cli.archive import DATABASE
    from app.security.keys import FILE, OLD_FILE

    kept = put_database_in_place(unpacked / DATABASE, settings.database_path)
    here, there = settings.data_dir / FILE, unpacked / FILE
    if there.exists() and not (here.exists() and here.read_bytes() == there.read_bytes()):
        if here.exists():
            here.replace(settings.data_dir / OLD_FILE)  # still tried: it signs nobody out
        there.replace(here)
    return kept


def put_database_in_place(new: Path, database: Path) -> Path | None:
    """`new`, on the same disk, becomes the database; where the one that was there is now."""
    from app import migrations

    kept = migrations.snapshot(database, "before-restore") if database.exists() else None
    # The log of the old database must not be taken for the new one's: it goes first.
    for leftover in ("-wal", "-shm"):
        database.with_name(database.name + leftover).unlink(missing_ok=True)
    new.replace(database)
    return kept


def _told(rows: dict[str, int]) -> str:
    counted = ((rows.get(table, 0), table) for table in ("users", "conversations", "messages"))
    return ", ".join(f"{number} {table}" for number, table in counted) + "."

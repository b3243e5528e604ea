"""`teahouse check`: whether what is in the database fits together."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson
import typer

from app.cli.doctor import tell
from app.cli.terminal import Exit, fail, read_settings, say, working
from app.settings import Settings

if TYPE_CHECKING:
    from app.cli.findings import Finding


def check(as_json: bool = typer.Option(False, "--json", help="For programs: findings, and rows by table.")) -> None:
    """Check every row: references, trees of messages, jobs and their logs, indexes. Changes nothing.

    \b
    While the server runs, of one moment. Ends with 0 if all fits together, else with 1:
      teahouse check
      teahouse check --json | jq '.rows.messages'
    """
    settings = read_settings()
    if not settings.on_postgres and not settings.database_path.exists():
        fail(f"{settings.database_path.absolute()} is not there yet. `teahouse db upgrade` makes it.")
    with working("Checking every row"):
        findings, rows = examine(settings)
    if as_json:
        shown = {"findings": [finding.as_json() for finding in findings], "rows": rows}
        say(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode())
    else:
        for finding in findings:
            tell(finding)
        say(", ".join(f"{number} {table}" for table, number in rows.items() if number) + ".")
        if not findings:
            say("All of it fits together.")
    if findings:
        raise typer.Exit(Exit.failed)


def examine(settings: Settings) -> "tuple[list[Finding], dict[str, int]]":
    """Of one moment."""
    from app.cli.db import REACHABLE, driver_errors, first_line
    from app.cli.findings import Finding
    from app.db.session import plain_connection

    name = settings.database_name
    try:
        if (wrong := _revision(settings)) is not None:
            return [wrong], {}
        connection = plain_connection(settings.database, write=False)
        try:
            connection.execute("BEGIN /*postgres: ISOLATION LEVEL REPEATABLE READ READ ONLY */")
            return list(_looks(connection, settings)), _counted(connection)
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.close()
    except driver_errors(settings) as error:
        fix = "teahouse restore FILE, with the newest backup"
        if settings.on_postgres and _is_away(error):
            return [Finding("database_unreachable", "error", f"{name}: {first_line(error)}", REACHABLE)], {}
        if settings.on_postgres:
            fix = "pg_restore, with the newest dump"
        return [Finding("unreadable", "error", f"{name}: {error}", fix)], {}


def _is_away(error: Exception) -> bool:
    """Whether PostgreSQL could not be asked at all: that says nothing about its data."""
    import psycopg

    return isinstance(error, psycopg.OperationalError) and not (error.sqlstate or "").startswith(("XX", "58"))


def _looks(connection: Any, settings: Settings) -> "Iterator[Finding]":
    from app.cli.consistency import LOOKS, RESTORE, SQLITE_LOOKS
    from app.cli.db import drift
    from app.cli.findings import Finding

    for difference in drift(settings.database):
        yield Finding("schema", "error", f"differs from the program: {difference}", RESTORE)
    for look in (*(() if settings.on_postgres else SQLITE_LOOKS), *LOOKS):
        yield from look(connection)


def _revision(settings: Settings) -> "Finding | None":
    from app import migrations
    from app.cli.findings import Finding

    here, newest = migrations.current_revision(settings.database), migrations.newest_revision()
    if here == newest:
        return None
    text = f"{settings.database_name} is at {here}, this program at {newest}."
    return Finding("database_revision", "error", text, "teahouse db upgrade")


def _counted(connection: Any) -> dict[str, int]:
    from app.all_models import Base

    names = sorted(Base.metadata.tables)
    return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608

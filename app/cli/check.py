"""`teahouse check`: whether what is in the database fits together."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pysqlite3
import typer

from app.cli.doctor import tell
from app.cli.terminal import Exit, fail, read_settings, say, working

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
    if settings.on_postgres:
        fail(
            "This checks a SQLite file. PostgreSQL enforces references itself; `teahouse db check` looks at the schema."
        )
    if not settings.database_path.exists():
        fail(f"{settings.database_path.absolute()} is not there yet. `teahouse db upgrade` makes it.")
    with working("Checking every row"):
        findings, rows = examine(settings.database_path)
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


def examine(database: Path) -> "tuple[list[Finding], dict[str, int]]":
    from app.cli.findings import Finding
    from app.db import sqlite

    connection = sqlite.connect(str(database), write=False)
    try:
        if (wrong := _revision(database)) is not None:
            return [wrong], {}
        connection.execute("BEGIN")
        return list(_looks(connection, database)), _counted(connection)
    except pysqlite3.DatabaseError as error:
        return [
            Finding("unreadable", "error", f"{database}: {error}", "teahouse restore FILE, with the newest backup")
        ], {}
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.close()


def _looks(connection: Any, database: Path) -> "Iterator[Finding]":
    from app.cli.consistency import LOOKS, RESTORE
    from app.cli.db import drift
    from app.cli.findings import Finding

    for difference in drift(database):
        yield Finding("schema", "error", f"differs from the program: {difference}", RESTORE)
    for look in LOOKS:
        yield from look(connection)


def _revision(database: Path) -> "Finding | None":
    from app import migrations
    from app.cli.findings import Finding

    here, newest = migrations.current_revision(database), migrations.newest_revision()
    if here == newest:
        return None
    return Finding(
        "database_revision", "error", f"{database} is at {here}, this program at {newest}.", "teahouse db upgrade"
    )


def _counted(connection: Any) -> dict[str, int]:
    tables = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'alembic_version'"
        " AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
    ).fetchall()
    return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables}  # noqa: S608

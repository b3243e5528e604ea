"""Migrations on PostgreSQL: once, whoever comes at the same time; up, down and up; all or nothing."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from alembic import command
from sqlalchemy import text
from typer.testing import CliRunner

from app import migrations
from app.cli import examining_data
from app.cli.db import drift
from app.cli.main import app
from app.db.session import Database
from app.migrations import on_postgres
from app.settings import Settings
from tests.migrations.revisions import add_revision, use

if TYPE_CHECKING:
    from tests.postgres import Server

_SCHEMA = """
SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
WHERE table_schema = 'public' ORDER BY 1, 2
"""
_INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"


@pytest.fixture
def url(postgres: "Server") -> str:
    """Of a migrated, empty database."""
    return postgres.new_database()


@pytest.fixture
def nothing(postgres: "Server") -> str:
    """Of a database without a single table."""
    postgres.execute("DROP DATABASE IF EXISTS nothing")
    postgres.execute("CREATE DATABASE nothing")
    return postgres.url("nothing")


def schema(url: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return [*connection.execute(_SCHEMA).fetchall(), *connection.execute(_INDEXES).fetchall()]


def test_up_down_and_up_again_is_the_same_schema(url: str) -> None:
    before = schema(url)
    assert len(before) > 100
    for direction, revision in ((command.downgrade, "base"), (command.upgrade, "head")):
        with on_postgres.sync_engine(url).connect() as connection, connection.begin():
            direction(migrations.alembic_config(connection), revision)
    assert schema(url) == before


def test_the_models_and_the_migrations_agree(url: str) -> None:
    assert drift(url) == []


def test_of_four_that_come_at_once_one_migrates_and_the_others_wait(nothing: str) -> None:
    done: list[bool] = []
    threads = [threading.Thread(target=lambda: done.append(migrations.upgrade(nothing))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(done) == [False, False, False, True]
    assert migrations.is_current(nothing)


def test_a_migration_that_fails_or_loses_something_is_undone(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO server_settings VALUES ('signup', '\"open\"')")
    before = schema(url)
    body = "op.add_column('users', sa.Column('shoe_size', sa.Integer())); op.execute('DELETE FROM server_settings')"
    add_revision(tmp_path / "revisions", body)
    use(tmp_path / "revisions", monkeypatch.setattr)
    with pytest.raises(migrations.MigrationError, match="lose data"):
        migrations.upgrade(url)
    assert schema(url) == before
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM server_settings").fetchone() == (1,)


@pytest.fixture
def stranger(postgres: "Server") -> Iterator[Callable[[str], str]]:
    """Makes an address into one of a role that owns nothing."""
    postgres.execute("DROP ROLE IF EXISTS stranger")
    postgres.execute("CREATE ROLE stranger LOGIN")
    used: list[str] = []

    def stranger(url: str) -> str:
        used.append(url)
        return url.replace("://teahouse@", "://stranger@")

    yield stranger
    for url in used:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP OWNED BY stranger")
    postgres.execute("DROP ROLE stranger")


@pytest.mark.parametrize("given", ["nothing", "reading", "all but one"])
def test_a_role_without_rights_is_told_so_in_one_line(
    given: str,
    url: str,
    nothing: str,
    stranger: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    theirs = stranger(nothing if given == "nothing" else url)
    with psycopg.connect(url, autocommit=True) as connection:
        if given == "reading":
            connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO stranger")
        if given == "all but one":
            connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO stranger")
            connection.execute("REVOKE DELETE ON jobs FROM stranger")
    result = CliRunner().invoke(app, ["db", "upgrade"], env={"TEAHOUSE_DATABASE_URL": theirs})
    assert result.exit_code == 1, result.output
    (line,) = [line for line in result.stderr.splitlines() if "…" not in line]
    assert "permission denied for" in line and "OWNER TO stranger" in line
    settings = Settings(_env_file=None, database_url=theirs)
    (found,) = examining_data.database(settings)
    assert found.code == ("no_database" if given == "nothing" else "database_rights")


def test_a_database_that_only_reads_is_told_so(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    with pytest.raises(migrations.MigrationError, match="standby"):
        migrations.check_rights(url)


def test_parameters_of_libpq_reach_both_drivers(url: str) -> None:
    """asyncpg itself would send them to the server, which knows none of them."""
    more = "connect_timeout=3&channel_binding=prefer&gssencmode=disable&keepalives=1&options=-c%20work_mem%3D3MB"
    database = Database(f"{url}&{more}")

    async def ask() -> set[object]:
        async with database.read() as session:
            found = {await session.scalar(text("SHOW work_mem"))}
        found |= {*(await database.lookup.first("SHOW work_mem", {}) or ())}
        await database.dispose()
        return found

    connection = database.connect(write=True)
    assert {connection.execute("SHOW work_mem").fetchone()[0], *asyncio.run(ask())} == {"3MB"}
    assert connection.execute("SHOW statement_timeout").fetchone() == ("10s",)
    connection.close()

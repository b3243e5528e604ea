"""Migrations on PostgreSQL: once, whoever comes at the same time; up, down and up; all or nothing."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from alembic import command

from app import migrations
from app.cli.db import drift
from app.migrations import on_postgres
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

"""`teahouse db restore-snapshot`: back from a migration, with nothing lost on either side."""

from pathlib import Path

import pysqlite3
import pytest
from alembic import command
from typer.testing import CliRunner, Result

from app import migrations
from app.cli.main import app
from app.db import sqlite
from app.jobs.liveness import ProcessLock


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(data_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["db", *arguments], env={"TEAHOUSE_DATA_DIR": str(data_dir)})


def write(database: Path, name: str) -> None:
    connection = sqlite.connect(str(database), write=True)
    connection.execute("INSERT INTO idempotent_notes VALUES (?)", (name,))
    connection.close()


def notes(database: Path) -> list[str]:
    connection = pysqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return [row[0] for row in connection.execute("SELECT name FROM idempotent_notes ORDER BY name")]
    finally:
        connection.close()


@pytest.fixture
def migrated(data_dir: Path) -> Path:
    """A database of an earlier revision that had a note, was migrated, and got another one."""
    database = data_dir / "teahouse.db"
    connection = sqlite.connect(str(database), write=True)
    connection.execute("CREATE TABLE idempotent_notes (name TEXT)")
    connection.close()
    with migrations.sync_engine(database).begin() as older:
        command.downgrade(migrations.alembic_config(older), "0001")
    write(database, "before")
    assert migrations.upgrade(database)
    write(database, "since")
    return data_dir


def test_one_command_back(migrated: Path) -> None:
    database = migrated / "teahouse.db"
    result = run(migrated, "restore-snapshot")
    assert result.exit_code == 0, result.output
    assert "at 0001" in result.stdout and "start the one of that time" in result.stdout
    assert notes(database) == ["before"] and migrations.current_revision(database) == "0001"
    (kept,) = (migrated / "backups").glob("before-restore-*.db")
    assert notes(kept) == ["before", "since"]
    assert database.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in migrated.glob("teahouse.db*")) == ["teahouse.db"]
    # And forth again, by what was kept.
    assert run(migrated, "restore-snapshot", str(kept)).exit_code == 0
    assert notes(database) == ["before", "since"]


def test_the_oldest_snapshot_can_be_put_back_though_a_new_one_pushes_it_out(migrated: Path) -> None:
    (oldest,) = (migrated / "backups").glob("before-*.db")
    for _ in range(migrations.SNAPSHOTS_KEPT - 1):
        migrations.snapshot(migrated / "teahouse.db", "before-9999")
    assert run(migrated, "restore-snapshot", str(oldest)).exit_code == 0
    assert notes(migrated / "teahouse.db") == ["before"]


def test_not_under_a_running_server(migrated: Path) -> None:
    (migrated / "run").mkdir()
    lock = ProcessLock(migrated / "run", "process-1-abc")
    result = run(migrated, "restore-snapshot")
    lock.close()
    assert result.exit_code == 77 and notes(migrated / "teahouse.db") == ["before", "since"]


def test_what_is_no_snapshot_changes_nothing(migrated: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear Alice")
    for path in (tmp_path / "letter.db", tmp_path / "nowhere.db"):
        result = run(migrated, "restore-snapshot", str(path))
        assert result.exit_code == 1 and path.name in result.stderr
        assert notes(migrated / "teahouse.db") == ["before", "since"]
        assert not list(migrated.glob("teahouse.db.new*"))


def test_without_a_migration_there_is_nothing_to_go_back_to(data_dir: Path) -> None:
    assert "no migration has left a snapshot" in run(data_dir, "restore-snapshot").stderr

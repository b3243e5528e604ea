"""`teahouse db`: where the database stands, and whether it is sound."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app import migrations
from app.cli.main import app
from app.db import sqlite


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(data_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["db", *arguments], env={"TEAHOUSE_DATA_DIR": str(data_dir)})


def change(data_dir: Path, *statements: str) -> None:
    connection = sqlite.connect(str(data_dir / "teahouse.db"), write=True)
    connection.execute("PRAGMA foreign_keys=OFF")
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_upgrade_makes_the_database_once(tmp_path: Path) -> None:
    newest = migrations.newest_revision()
    assert run(tmp_path, "current").stdout == ""
    assert f"is now at {newest}" in run(tmp_path, "upgrade").stdout
    assert f"was already at {newest}" in run(tmp_path, "upgrade").stdout
    assert run(tmp_path, "current").stdout == f"{newest}\n"


def test_a_sound_database_passes(data_dir: Path) -> None:
    result = run(data_dir, "check")
    assert (result.exit_code, result.stdout.endswith("sound.\n")) == (0, True)


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["DROP INDEX ix_messages_tree"], "ix_messages_tree"),
        (["ALTER TABLE users ADD COLUMN shoe_size INTEGER"], "shoe_size"),
        (["UPDATE alembic_version SET version_num = '0000'"], "is at 0000, this program at"),
        (["INSERT INTO refresh_tokens VALUES ('d', 'nobody', '', NULL, NULL)"], "refresh_tokens: row 1"),
    ],
)
def test_what_is_wrong_is_named(data_dir: Path, statements: list[str], words: str) -> None:
    change(data_dir, *statements)
    result = run(data_dir, "check")
    assert result.exit_code == 1
    assert words in result.stderr


def test_a_missing_database_is_said(tmp_path: Path) -> None:
    assert "teahouse db upgrade" in run(tmp_path, "check").stderr
    assert not (tmp_path / "teahouse.db").exists()

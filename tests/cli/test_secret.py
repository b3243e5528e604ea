"""A second machine with another secret is refused; one with the same secret, or with one of a rotation, is not."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from app.cli import examining_data
from app.cli.db import migrate
from app.cli.main import app
from app.cli.secret import check_secret
from app.migrations import copying
from app.security import keys
from app.settings import Settings


@pytest.fixture
def machine(settings: Settings, tmp_path: Path) -> Callable[[str], Settings]:
    """Another machine of the same database: with a data folder of its own."""
    migrate(settings)

    def machine(name: str) -> Settings:
        folder = tmp_path / name
        folder.mkdir()
        return settings.model_copy(update={"data_dir": folder, "database_url": url_of(settings)})

    return machine


def url_of(settings: Settings) -> str:
    return settings.database_url or f"sqlite:///{settings.database_path}"


def serves(settings: Settings) -> bool:
    keys._keyring.cache_clear()
    try:
        check_secret(settings)
    except typer.Exit:
        return False
    return True


def test_the_first_machine_says_which_secret_it_is(
    machine: Callable[[str], Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = machine("first"), machine("second")
    assert serves(first) and serves(first)
    assert [*examining_data.secret(second)] == []  # it has none yet, and doctor makes none
    assert not (second.data_dir / "secret.key").exists()
    assert not serves(second)
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "TEAHOUSE_SECRET_KEY" in told
    assert [finding.code for finding in examining_data.secret(second)] == ["other_secret"]
    assert [*examining_data.secret(first)] == []
    shutil.copy(first.data_dir / "secret.key", second.data_dir / "secret.key")
    assert serves(second)


def test_a_rotated_secret_is_the_new_one(machine: Callable[[str], Settings]) -> None:
    first, second = machine("first"), machine("second")
    assert serves(first)
    shutil.copy(first.data_dir / "secret.key", second.data_dir / "secret.key")
    (first.data_dir / "secret.key").rename(first.data_dir / "secret.key.old")
    assert serves(first)
    assert not serves(second)


def test_a_lost_secret_can_be_given_up(machine: Callable[[str], Settings]) -> None:
    first, second = machine("first"), machine("second")
    assert serves(first) and not serves(second)
    env = {"TEAHOUSE_DATA_DIR": str(second.data_dir), "TEAHOUSE_DATABASE_URL": second.database_url}
    result = CliRunner().invoke(app, ["admin", "accept-secret"], env=env)
    assert result.exit_code == 0, result.output
    assert serves(second) and not serves(first)


def test_a_database_that_was_only_served_is_still_empty_for_a_copy(
    machine: Callable[[str], Settings], tmp_path: Path
) -> None:
    source = Settings(_env_file=None, data_dir=tmp_path / "source")
    migrate(source)
    assert serves(source)
    target = machine("target")
    assert serves(target)
    copying.copy(source.database, target.database, lambda _table, _sum: None)
    shutil.copy(source.data_dir / "secret.key", target.data_dir / "secret.key")
    assert serves(target)

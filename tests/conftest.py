"""A database per test; nothing of any one domain."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app import all_models as all_models
from app import migrations
from app.db.session import Database
from app.settings import Settings


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database; tests copy it, which is quicker than migrating again."""
    path = tmp_path_factory.mktemp("empty") / "teahouse.db"
    migrations.upgrade(path)
    return path


@pytest.fixture
def data_dir(tmp_path: Path, empty_database: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    # Nobody has it open, and the last to close it has emptied its WAL.
    shutil.copy(empty_database, folder / "teahouse.db")
    return folder


@pytest.fixture
def settings(data_dir: Path) -> Settings:
    return Settings(data_dir=data_dir, embedded_model="off")


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_path)
    yield database
    await database.dispose()


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own settings must not reach a test."""
    for name in list(os.environ):
        if name.startswith("TEAHOUSE_"):
            monkeypatch.delenv(name)

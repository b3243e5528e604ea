"""A database per test; nothing of any one domain."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app import all_models as all_models
from app import migrations
from app.db.session import Database
from app.settings import Settings
from tests.databases import CHOSEN

if TYPE_CHECKING:
    from tests.postgres import Server


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


@pytest.fixture(scope="session")
def postgres() -> "Server":
    """A server of the tests' own, started when the first test wants it."""
    from tests.postgres import shared_server

    return shared_server()


@pytest.fixture(scope="session")
def kind_of_database() -> str:
    """Who takes this, by way of `settings` or by `usefixtures`, is run on each database. Nobody else is."""
    return CHOSEN


@pytest.fixture
def settings(data_dir: Path, kind_of_database: str, request: pytest.FixtureRequest) -> Iterator[Settings]:
    if kind_of_database == "sqlite":
        yield Settings(data_dir=data_dir, embedded_model="off")
        return
    postgres = request.getfixturevalue("postgres")
    url = postgres.new_database()
    yield Settings(data_dir=data_dir, embedded_model="off", database_url=url)
    postgres.drop(url)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database)
    yield database
    await database.dispose()


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own settings must not reach a test."""
    for name in list(os.environ):
        if name.startswith("TEAHOUSE_"):
            monkeypatch.delenv(name)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What asks for no database, or brings its own, has run on SQLite; what is about SQLite says so."""
    if CHOSEN == "sqlite":
        return
    skipped = pytest.mark.skip(reason="about SQLite alone")
    elsewhere = [item for item in items if "kind_of_database" not in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=elsewhere)
    items[:] = [item for item in items if "kind_of_database" in getattr(item, "fixturenames", ())]
    for item in items:
        if item.get_closest_marker("sqlite"):
            item.add_marker(skipped)

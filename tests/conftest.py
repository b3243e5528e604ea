"""A database per test; nothing of any one domain."""

import gc
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app import all_models as all_models
from app import migrations
from app.db.session import Database
from app.security import hashing
from app.settings import Settings
from tests import databases
from tests.effort import IS_CAMPAIGN
from tests.fork_server import make_hashes_cheap
from tests.scheduling import pytest_terminal_summary as pytest_terminal_summary
from tests.scheduling import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler

if TYPE_CHECKING:
    from tests.postgres import Server


# What the tests are made of stays until the end. To look through it for garbage, while it is read and again and again
# while they run, would take a quarter of the time that reading takes.
gc.disable()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()


if IS_CAMPAIGN:
    import hypothesis

    hypothesis.settings.register_profile("campaign", max_examples=1000, deadline=None)
    hypothesis.settings.load_profile("campaign")


# For tests/security/test_hashing.py.
REAL_HASHES = {name: getattr(hashing, name) for name in ("MEMORY_KIB", "PASSES", "DUMMY_HASH")}
make_hashes_cheap()


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
def kind_of_database(request: pytest.FixtureRequest) -> str:
    """A test that asks for this, by way of `settings` or by `usefixtures`, runs on the databases of its folder."""
    return getattr(request, "param", databases.SQLITE)


@pytest.fixture
def settings(data_dir: Path, kind_of_database: str, request: pytest.FixtureRequest) -> Iterator[Settings]:
    if kind_of_database == databases.SQLITE:
        yield Settings(data_dir=data_dir, embedded_model="off")
        return
    with request.getfixturevalue("postgres").lent_database() as url:
        yield Settings(data_dir=data_dir, embedded_model="off", database_url=url)


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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kind_of_database" in metafunc.fixturenames:
        kinds = databases.kinds_for(metafunc.definition)
        # SQLite is what a test runs on anyway: only the other one is in its name.
        values = [pytest.param(kind, id=pytest.HIDDEN_PARAM if kind == databases.SQLITE else kind) for kind in kinds]
        metafunc.parametrize("kind_of_database", values, indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("campaign")
    # One case of a test may be about SQLite alone.
    elsewhere = {item for item in items if item.get_closest_marker("sqlite") and _kind_of(item) != databases.SQLITE}
    if elsewhere:
        config.hook.pytest_deselected(items=list(elsewhere))
        items[:] = [item for item in items if item not in elsewhere]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    databases.choose(_kind_of(item))


def _kind_of(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("kind_of_database", databases.SQLITE) if callspec else databases.SQLITE

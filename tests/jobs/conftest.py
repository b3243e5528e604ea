"""A database with Alice and Bob, a plain connection, an event log, and a kind of job that does what a test says."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.db.session import Database
from app.jobs import maintenance, registry
from app.jobs.event_log import EventLog
from app.jobs.liveness import FileLocks
from app.jobs.maintenance import Maintenance
from app.jobs.notify import Hub
from app.settings import Settings
from tests.databases import plain_connection
from tests.jobs.keeping import ME, Clock
from tests.jobs.rows import add_user
from tests.jobs.stub import StubHandler


@pytest.fixture
def connection(settings: Settings) -> Iterator[Any]:
    """As another process has it: its own right to write."""
    connection = plain_connection(settings)
    yield connection
    connection.close()


@pytest.fixture
def alice(connection: Any) -> str:
    return add_user(connection, "alice")


@pytest.fixture
def bob(connection: Any) -> str:
    return add_user(connection, "bob")


@pytest.fixture
def stub() -> Iterator[StubHandler]:
    """The handler of jobs of the kind `stub`."""
    handler = StubHandler()
    registry.register("stub", handler)
    yield handler
    del registry._handlers["stub"]


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def commits() -> list[tuple[int, int]]:
    """What the log told about its commits: first and last row."""
    return []


@pytest.fixture
async def log(database: Database, hub: Hub, commits: list[tuple[int, int]]) -> AsyncIterator[EventLog]:
    log = EventLog(database, hub, lambda first, last: commits.append((first, last)))
    await log.start()
    yield log
    await log.stop()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(maintenance, "monotonic", clock)
    return clock


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


@pytest.fixture
def keeper(log: EventLog, run_dir: Path) -> Maintenance:
    return Maintenance(log, ME, FileLocks(run_dir), each_scan=lambda: None)

"""A scripted model server, settings that reach it, Alice, and a conversation of hers that has a title already."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from app.accounts.principal import Principal
from app.db.session import Database
from app.generations import recovery
from app.jobs import retry, worker
from app.settings import Settings
from tests.databases import plain_connection
from tests.factories.people import add_person
from tests.generations.asking import MakeSettings, Talk, new_talk
from tests.model_server import ModelServer
from tests.process import Process, running


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture
def make_settings(settings: Settings, server: ModelServer) -> MakeSettings:
    """Settings on this test's data folder, with time-outs in tenths of seconds."""

    def make(**values: Any) -> Settings:
        defaults: dict[str, Any] = {
            "data_dir": settings.data_dir,
            "database_url": settings.database_url,
            "embedded_model": "off",
            "ollama_url": server.url,
            "default_model": "ollama/scripted:latest",
            "connect_timeout": 1.0,
            "first_token_timeout": 5.0,
            "idle_timeout": 5.0,
            "retry_patience": 5.0,
        }
        return Settings(**{**defaults, **values})

    return make


@pytest.fixture
def process_settings(make_settings: MakeSettings) -> Settings:
    return make_settings()


@pytest.fixture
async def process(process_settings: Settings) -> AsyncIterator[Process]:
    async with running(process_settings) as process:
        yield process


@pytest.fixture
async def alice(database: Database) -> Principal:
    return await add_person(database, "alice")


@pytest.fixture
async def bob(database: Database) -> Principal:
    return await add_person(database, "bob")


@pytest.fixture
async def talk(process: Process, alice: Principal) -> Talk:
    return await new_talk(process, alice)


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same back-off, in hundredths, and a worker that looks as often."""
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(recovery, "delay", lambda failures: retry.delay(failures) / 100)


@pytest.fixture
def openai(make_settings: MakeSettings, server: ModelServer) -> Any:
    """Settings for the same server by OpenAI's wire."""
    return lambda **more: make_settings(
        ollama_url="", openai_base_url=server.openai_url, default_model="openai/scripted:latest", **more
    )


@pytest.fixture
def plain(settings: Settings) -> Iterator[Any]:
    """A plain connection, as another process has it."""
    connection = plain_connection(settings)
    yield connection
    connection.close()

"""A site of each configuration."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.accounts.principal import Principal
from app.ids import new_id
from app.settings import Settings
from tests.conformance.configurations import CONFIGURATIONS, Site, worker_on
from tests.conformance.load import Machines
from tests.factories.people import add_person
from tests.model_server import ModelServer
from tests.ports import free_port
from tests.postgres import postgres_server
from tests.process import Process, running
from tests.redis import RedisServer, redis_server

if TYPE_CHECKING:
    from tests.postgres import Server


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture(params=CONFIGURATIONS)
def configuration(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def settings_for(configuration: str, folder: Path, port: int, **values: Any) -> Settings:
    return Settings(
        data_dir=folder,
        embedded_model="off",
        ollama_url=f"http://127.0.0.1:{port}",
        default_model="ollama/scripted:latest",
        max_running_per_user=0,
        model_slots=0,
        secret_key="of all machines of the site " * 2,
        metrics_port=0,
        jobs_engine="celery" if configuration == "celery" else "embedded",
        **values,
    )


@pytest.fixture(scope="session")
def with_celery(redis: RedisServer, postgres: "Server", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A database with a worker on it, which takes seconds to start: one for all tests, who bring their own people."""
    folder = tmp_path_factory.mktemp("celery") / "data"
    values = {"database_url": postgres.new_database(), "redis_url": redis.url}
    settings = settings_for("celery", folder, free_port(), **values)
    with worker_on(settings) as worker:
        worker.wait()
        yield settings


@pytest.fixture
def site_settings(configuration: str, data_dir: Path, request: pytest.FixtureRequest) -> Settings:
    if configuration == "celery":
        with_celery: Settings = request.getfixturevalue("with_celery")
        return with_celery
    url = request.getfixturevalue("postgres").new_database() if configuration == "postgresql" else ""
    return settings_for(configuration, data_dir, free_port(), database_url=url)


@pytest.fixture
async def site(site_settings: Settings) -> AsyncIterator[Site]:
    port = int(site_settings.ollama_url.rpartition(":")[2])
    async with ModelServer(port=port) as model, running(site_settings) as web:
        yield Site(web, model, site_settings)


@pytest.fixture
async def alice(site: Site) -> Principal:
    return await add_person(site.web.database, f"alice-{new_id()}")


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """All of it of one file's own, since it is killed; with two workers."""
    folder: Path = tmp_path_factory.mktemp("machines") / "data"
    with ExitStack() as stack:
        postgres, redis = stack.enter_context(postgres_server(forgetful=False)), stack.enter_context(redis_server())
        values = {"database_url": postgres.new_database(), "redis_url": redis.url}
        settings = settings_for("celery", folder, free_port(), **values)
        workers = [stack.enter_context(worker_on(settings)) for _ in range(2)]
        for worker in workers:
            worker.wait()
        yield Machines(postgres, redis, workers, settings)


@pytest.fixture
async def web(machines: Machines) -> AsyncIterator[Process]:
    port = int(machines.settings.ollama_url.rpartition(":")[2])
    async with ModelServer(port=port), running(machines.settings) as web:
        yield web

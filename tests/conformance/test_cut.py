"""Connections between Teahouse and PostgreSQL or Redis that are cut, or whose last answer never comes. (F23)

By a real proxy between real servers; each process has its own.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.settings import Settings
from tests.conformance.configurations import Worker, worker_on
from tests.conformance.conftest import settings_for
from tests.conformance.load import Sent, assert_all_whole, key_of, send, talks, under_load
from tests.model_server import ModelServer
from tests.ports import free_port
from tests.postgres import Server
from tests.process import Process, running
from tests.proxy import Lost, Proxy, proxy_to
from tests.redis import RedisServer


@dataclass(slots=True)
class Wires:
    """One process's: to PostgreSQL and to Redis."""

    postgres: Proxy
    redis: Proxy

    def cut(self) -> None:
        self.postgres.cut()
        self.redis.cut()

    def settings(self, settings: Settings, postgres: Server) -> Settings:
        """The same as seen through these."""
        own = {"database_url": postgres.url_at(settings.database_url, self.postgres.port)}
        return settings.model_copy(update={**own, "redis_url": f"redis://127.0.0.1:{self.redis.port}/0"})


@dataclass(slots=True)
class Wired:
    settings: Settings  # without a proxy
    web: Wires
    worker: Wires
    process: Worker
    webs_settings: Settings


@pytest.fixture(scope="module")
def wired(postgres: Server, redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    folder: Path = tmp_path_factory.mktemp("wired") / "data"
    values = {"database_url": postgres.new_database(), "redis_url": redis.url}
    settings = settings_for("celery", folder, free_port(), **values)
    with ExitStack() as stack:

        def wires() -> Wires:
            return Wires(*(stack.enter_context(proxy_to(target)) for target in (postgres.socket, redis.port)))

        web, worker = wires(), wires()
        process = stack.enter_context(worker_on(worker.settings(settings, postgres)))
        process.wait()
        yield Wired(settings, web, worker, process, web.settings(settings, postgres))


@pytest.fixture
async def web(wired: Wired) -> AsyncIterator[Process]:
    port = int(wired.settings.ollama_url.rpartition(":")[2])
    async with ModelServer(port=port), running(wired.webs_settings) as web:
        yield web


@pytest.mark.parametrize("landed", [True, False], ids=["made", "not made"])
async def test_F23_a_message_whose_commit_nobody_heard_of_is_made_once(
    wired: Wired, web: Process, landed: bool
) -> None:
    sent: list[Sent] = []
    for number, talk in enumerate(await talks(web)):
        lost = wired.web.postgres.lose(key_of(talk).encode(), landed=landed)
        sent.append(await send(talk, number))
        assert lost.happened.is_set() and sent[-1].refusals == 1, "its client heard 503, and asked again"
    await assert_all_whole(wired.settings, sent)


@pytest.mark.parametrize("landed", [True, False], ids=["made", "not made"])
async def test_F23_text_whose_commit_nobody_heard_of_is_written_once(wired: Wired, web: Process, landed: bool) -> None:
    """Of three answers one commit each is lost on the way, and with it what the others had in it."""
    sent = [await send(talk, number) for number, talk in enumerate(await talks(web))]

    async def lose(at: int, one: Sent) -> Lost:
        # Once it has begun: a claim that nobody heard of is another's to make good, by a second attempt.
        await one.talk.writing(one.accepted.job.id, 1 + 30 * at)
        return wired.worker.postgres.lose(one.accepted.job.id.encode(), landed=landed)

    losses = await asyncio.gather(*(lose(at, one) for at, one in enumerate(sent[::2][:3])))
    await assert_all_whole(wired.settings, sent)
    for one in sent:
        assert (await one.talk.job(one.accepted.job.id)).attempt == 1
    assert [lost.happened.is_set() for lost in losses] == [True] * len(losses)


async def test_F23_every_connection_cut_again_and_again_under_load(wired: Wired, web: Process) -> None:
    sent = await under_load(web, [wired.web.cut, wired.worker.cut, wired.web.cut, wired.worker.cut])
    assert min(proxy.cuts for proxy in (wired.web.postgres, wired.worker.postgres, wired.worker.redis)) > 0
    await assert_all_whole(wired.settings, sent)
    await web.engine.check()
    assert wired.process.process.poll() is None

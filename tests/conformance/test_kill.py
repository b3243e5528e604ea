"""Celery's workers, Redis and PostgreSQL killed under load, at random moments: nothing lost, nothing doubled.

F05, F21, F22: the invariants of the first kill campaign, in the third configuration.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.errors import AppError
from app.generations.service import Accepted, Once
from app.ids import new_id
from app.settings import Settings
from tests.conformance.configurations import Worker, worker_on
from tests.conformance.conftest import settings_for
from tests.databases import plain_connection
from tests.durability.processes import free_port
from tests.factories.people import add_person
from tests.generations.asking import Talk, new_talk, words
from tests.jobs.rows import broken_invariants
from tests.jobs.waiting import until
from tests.model_server import ModelServer
from tests.postgres import Server, postgres_server
from tests.process import Process, running
from tests.redis import RedisServer, redis_server

pytestmark = pytest.mark.kill
TALKS, CHANCE = 10, random.Random(6)
PROMPT = "tell {number} [[tokens=90 rate=30]]"  # three seconds of text


@dataclass(slots=True)
class Machines:
    postgres: Server
    redis: RedisServer
    workers: list[Worker]
    settings: Settings


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """All of it of these tests' own, since it is killed; with two workers."""
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


async def talks(web: Process) -> list[Talk]:
    principal = await add_person(web.database, f"alice-{new_id()}")
    return [await new_talk(web, principal) for _ in range(TALKS)]


async def send(talk: Talk, number: int) -> Accepted:
    """As a client does: the same key again and again, until there is an answer."""
    made: list[Accepted] = []

    def present(accepted: Accepted) -> str:
        made.append(accepted)
        return accepted.job.id

    once = Once(f"key-{talk.conversation_id}", "one", present)
    for _ in range(100):
        try:
            await talk.process.generations.send_message(
                talk.principal, talk.conversation_id, content=PROMPT.format(number=number), once=once
            )
        except AppError as error:
            if error.code != "database_unavailable":
                raise
            await asyncio.sleep(0.1)
        else:
            return made[-1]  # after a replay, too: the commit whose answer was cut was the last one tried
    raise AssertionError("never accepted")


async def assert_all_whole(machines: Machines, sent: list[tuple[Talk, int, Accepted]], seconds: float = 40) -> None:
    for talk, number, accepted in sent:
        answer = await talk.ended(accepted, seconds)
        assert (answer.status, answer.content) == ("complete", words(PROMPT.format(number=number)))
    connection = plain_connection(machines.settings)
    try:
        assert broken_invariants(connection) == []
    finally:
        connection.close()


async def under_load(machines: Machines, web: Process, nemesis: list[object]) -> list[tuple[Talk, int, Accepted]]:
    """Messages every tenth of a second; between them what `nemesis` does, each in a thread, at random moments."""
    sent = []
    moments = sorted(CHANCE.uniform(0, TALKS - 1) for _ in nemesis)
    for number, talk in enumerate(await talks(web)):
        while moments and number >= moments[0]:
            moments.pop(0)
            await asyncio.to_thread(nemesis.pop(0))  # type: ignore[arg-type]
        sent.append((talk, number, await send(talk, number)))
        await asyncio.sleep(0.1)
    for rest in nemesis:
        await asyncio.to_thread(rest)  # type: ignore[arg-type]
    return sent


async def test_F05_workers_killed_under_load(machines: Machines, web: Process) -> None:
    """One after the other, each started again; what it wrote goes on where it stood."""

    def kill(worker: Worker) -> None:
        worker.kill()
        worker.start()

    sent = await under_load(machines, web, [lambda: kill(machines.workers[0]), lambda: kill(machines.workers[1])])
    await assert_all_whole(machines, sent)


def at_work(machines: Machines) -> list[Worker]:
    """Those that run something; a process's number is in its name."""
    connection = plain_connection(machines.settings)
    try:
        owners = connection.execute("SELECT DISTINCT lease_owner FROM jobs WHERE status = 'running'").fetchall()
    finally:
        connection.close()
    return [worker for worker in machines.workers if any(f"-{worker.process.pid}-" in owner for (owner,) in owners)]


async def test_F05_a_stopped_worker_gives_its_leases_back(machines: Machines, web: Process) -> None:
    sent = await under_load(machines, web, [])
    worker: Worker = (await until(lambda: at_work(machines), 30))[0]
    assert await asyncio.to_thread(worker.stop) == 0
    worker.start()
    await assert_all_whole(machines, sent)
    for talk, _, accepted in sent:
        job = await talk.job(accepted.job.id)
        assert (job.failures, job.crashes) == (0, 0)


async def test_F21_redis_killed_and_emptied_under_load(machines: Machines, web: Process) -> None:
    """Every message is accepted, every job is run once: Redis holds nothing of worth."""
    redis = machines.redis
    sent = await under_load(machines, web, [redis.forget, redis.kill, redis.start, redis.forget])
    await assert_all_whole(machines, sent)
    for talk, _, accepted in sent:
        assert (await talk.job(accepted.job.id)).attempt == 1


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_F22_postgresql_restarted_under_load(machines: Machines, web: Process, mode: str) -> None:
    def restart() -> None:
        machines.postgres.stop(mode)
        machines.postgres.start()

    sent = await under_load(machines, web, [restart])
    await assert_all_whole(machines, sent)
    assert await web.engine.check() is None  # type: ignore[func-returns-value]

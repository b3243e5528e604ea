"""Web processes, PostgreSQL and Redis on one machine, the worker and the models on another, and the cable between them.

It is out for thirty seconds: longer than a lease, and than anything that waits. Nothing is lost, and nothing doubled.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.clock import monotonic
from app.settings import Settings
from tests.conformance.configurations import Worker, worker_on
from tests.conformance.conftest import settings_for
from tests.conformance.load import CHANCE, TALKS, Sent, assert_all_whole, send, talks
from tests.generations.watching import restless
from tests.jobs.history import Op, check
from tests.model_server.process import model_server_process
from tests.network import ADDRESSES, network, why_not
from tests.ports import free_port
from tests.postgres import postgres_server
from tests.process import Process, running
from tests.proxy import proxy_to
from tests.redis import redis_server

OUT_SECONDS, BACK_SECONDS = 30.0, 60.0
pytestmark = [pytest.mark.kill, pytest.mark.timeout(240)]


@dataclass(slots=True)
class Machines:
    """`settings` are those of the web's machine."""

    settings: Settings
    worker: Worker
    cable_out: Callable[[], AbstractContextManager[None]]


@contextmanager
def in_two_namespaces(folder: Path) -> Iterator[Machines]:
    """The whole of this test is on the machine `a` meanwhile."""
    with ExitStack() as stack:
        net = stack.enter_context(network())
        stack.enter_context(net.on("a"))
        postgres = stack.enter_context(postgres_server(forgetful=False, address=ADDRESSES["a"]))
        redis = stack.enter_context(redis_server(ADDRESSES["a"]))
        url = postgres.url_at(postgres.new_database(), 5432, ADDRESSES["a"])
        settings = settings_for("celery", folder / "web", free_port(), database_url=url, redis_url=redis.url)
        with net.on("b"):
            models = stack.enter_context(model_server_process())
            own = {"data_dir": folder / "worker", "ollama_url": models}
            worker = stack.enter_context(worker_on(settings.model_copy(update=own)))
        worker.wait(settings)

        @contextmanager
        def cable_out() -> Iterator[None]:
            net.turn("down")
            try:
                yield
            finally:
                net.turn("up")

        yield Machines(settings, worker, cable_out)


@contextmanager
def on_one_machine(folder: Path) -> Iterator[Machines]:
    """Where no namespaces can be made: the worker reaches the others through proxies that fall silent.

    No packet is lost on the way, and none is sent again: TCP itself is not tried.
    """
    with ExitStack() as stack:
        postgres, redis = stack.enter_context(postgres_server(forgetful=False)), stack.enter_context(redis_server())
        url = postgres.new_database()
        settings = settings_for("celery", folder / "web", free_port(), database_url=url, redis_url=redis.url)
        proxies = [stack.enter_context(proxy_to(target)) for target in (postgres.socket, redis.port)]
        own = {
            "data_dir": folder / "worker",
            "ollama_url": stack.enter_context(model_server_process()),
            "database_url": postgres.url_at(url, proxies[0].port),
            "redis_url": f"redis://127.0.0.1:{proxies[1].port}/0",
        }
        worker = stack.enter_context(worker_on(settings.model_copy(update=own)))
        worker.wait()

        @contextmanager
        def cable_out() -> Iterator[None]:
            with ExitStack() as cut:
                for proxy in proxies:
                    cut.enter_context(proxy.silent())
                yield

        yield Machines(settings, worker, cable_out)


WAYS = {"namespaces": in_two_namespaces, "proxies": on_one_machine}


@pytest.fixture(params=sorted(WAYS))
def machines(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machines]:
    refused = why_not()
    if request.param == "namespaces" and refused:
        pytest.skip(f"no network namespaces here ({refused}): the cable is cut by proxies, which is less")
    if request.param == "proxies" and not refused:
        pytest.skip("the same has been tried with two real network namespaces")
    with WAYS[request.param](tmp_path) as machines:
        yield machines


@pytest.fixture
async def web(machines: Machines) -> AsyncIterator[Process]:
    async with running(machines.settings) as web:
        yield web


async def test_the_cable_between_two_machines_is_out_for_thirty_seconds(machines: Machines, web: Process) -> None:
    all_talks = await talks(web)
    history: list[Op] = []
    watching = []

    async def ask(number: int) -> Sent:
        began = monotonic()
        sent = await send(all_talks[number], number)
        assert monotonic() - began < OUT_SECONDS / 3 and sent.refusals == 0, "the web's machine has all that it needs"
        chance = random.Random(CHANCE.random())
        visits = restless(sent.talk, f"{number}", sent.accepted.job.id, chance, history)
        watching.append(asyncio.create_task(visits))
        return sent

    sent = [await ask(number) for number in range(TALKS // 2)]
    for one in sent:
        await one.talk.writing(one.accepted.job.id, 20)
    with machines.cable_out():
        out_at = monotonic()
        sent += [await ask(number) for number in range(TALKS // 2, len(all_talks))]
        await asyncio.sleep(OUT_SECONDS / 2)
        shown = [await one.talk.text(one.accepted.job.id) for one in sent]
        assert not any(shown[TALKS // 2 :]) and all(task.done() is False for task in watching)
        await asyncio.sleep(out_at + OUT_SECONDS - monotonic())
    back_at = monotonic()
    await assert_all_whole(machines.settings, sent, BACK_SECONDS)
    print(f"whole {monotonic() - back_at:.1f} s after the cable was in again")
    await asyncio.wait_for(asyncio.gather(*watching), 10)
    for number, one in enumerate(sent):
        answer = await one.talk.message(one.accepted.assistant_message.id)
        own = [op for op in history if op.viewer == f"{number}"]
        assert check(own, await one.talk.events(one.accepted.job.id), answer.content) == []
        assert answer.content.startswith(shown[number])
        assert (await one.talk.job(one.accepted.job.id)).attempt <= 2
    assert machines.worker.process.poll() is None

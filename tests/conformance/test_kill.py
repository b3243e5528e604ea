"""Celery's workers, Redis and PostgreSQL killed under load, at random moments: nothing lost, nothing doubled.

F05, F21, F22: the invariants of the first kill campaign, in the third configuration.
"""

import asyncio

import pytest

from tests.conformance.configurations import Worker
from tests.conformance.load import Machines, assert_all_whole, under_load
from tests.databases import plain_connection
from tests.effort import effort
from tests.jobs.waiting import until
from tests.process import Process

pytestmark = [pytest.mark.kill, pytest.mark.campaign, pytest.mark.timeout(effort(120, 1800))]

ROUNDS = effort(1, 50)


async def test_F05_workers_killed_under_load(machines: Machines, web: Process) -> None:
    """One after the other, each started again; what it wrote goes on where it stood."""

    def kill(worker: Worker) -> None:
        worker.kill()
        worker.start()

    for _ in range(ROUNDS):
        sent = await under_load(web, [lambda: kill(machines.workers[0]), lambda: kill(machines.workers[1])])
        await assert_all_whole(machines.settings, sent)


def at_work(machines: Machines) -> list[Worker]:
    """Those that run something; a process's number is in its name."""
    connection = plain_connection(machines.settings)
    try:
        owners = connection.execute("SELECT DISTINCT lease_owner FROM jobs WHERE status = 'running'").fetchall()
    finally:
        connection.close()
    return [worker for worker in machines.workers if any(f"-{worker.process.pid}-" in owner for (owner,) in owners)]


async def test_F05_a_stopped_worker_gives_its_leases_back(machines: Machines, web: Process) -> None:
    sent = await under_load(web, [])
    worker: Worker = (await until(lambda: at_work(machines), 30))[0]
    assert await asyncio.to_thread(worker.stop) == 0
    worker.start()
    await assert_all_whole(machines.settings, sent)
    for one in sent:
        job = await one.talk.job(one.accepted.job.id)
        assert (job.failures, job.crashes) == (0, 0)


async def test_F21_redis_killed_and_emptied_under_load(machines: Machines, web: Process) -> None:
    """Every message is accepted, every job is run once: Redis holds nothing of worth."""
    redis = machines.redis
    for _ in range(ROUNDS):
        sent = await under_load(web, [redis.forget, redis.kill, redis.start, redis.kill, redis.start, redis.forget])
        await assert_all_whole(machines.settings, sent)
        for one in sent:
            assert (await one.talk.job(one.accepted.job.id)).attempt == 1


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_F22_postgresql_restarted_under_load(machines: Machines, web: Process, mode: str) -> None:
    def restart() -> None:
        machines.postgres.stop(mode)
        machines.postgres.start()

    for _ in range(ROUNDS):
        sent = await under_load(web, [restart])
        await assert_all_whole(machines.settings, sent)
    assert await web.engine.check() is None  # type: ignore[func-returns-value]

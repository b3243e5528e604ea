"""A Redis that hangs, is full, or knows nobody any more holds nothing of worth: it costs seconds at most. (F21)"""

import asyncio
from collections.abc import Iterator

import pytest

from app.clock import monotonic
from tests.conformance.load import Machines, Sent, assert_all_whole, talks, under_load
from tests.conformance.load import send as send_one
from tests.process import Process
from tests.redis import RedisServer

SECONDS_TO_START = 5.0
REDIS_PATIENCE = 4.0  # who waited for it would do so for five seconds
SECRET = "another password"


@pytest.fixture
def redis(machines: Machines) -> Iterator[RedisServer]:
    """Given back as it was."""
    yield machines.redis
    machines.redis.kill()
    machines.redis.start()


async def assert_none_waited(sent: list[Sent]) -> None:
    for one in sent:
        job = await one.talk.job(one.accepted.job.id)
        assert job.attempt == 1 and job.started_at is not None
        assert (job.started_at - job.created_at).total_seconds() < SECONDS_TO_START


def refusals(redis: RedisServer, kind: str, password: str = "") -> int:
    """How often this server has answered so."""
    found: dict[str, dict[str, int]] = redis.command("INFO", "errorstats", password=password)
    return found.get(f"errorstat_{kind}", {}).get("count", 0)


async def test_F21_redis_hangs_for_ten_seconds(machines: Machines, web: Process, redis: RedisServer) -> None:
    redis.command("CLIENT", "PAUSE", 10_000, "ALL")
    began = monotonic()
    answered = asyncio.create_task(asyncio.to_thread(redis.command, "PING"))
    sent = []
    for number, talk in enumerate(await talks(web)):
        asked = monotonic()
        sent.append(await send_one(talk, number))
        assert monotonic() - asked < REDIS_PATIENCE, "nobody waits for Redis to be told that a message is accepted"
    await assert_all_whole(machines.settings, sent)
    assert not answered.done(), "all of it was done without Redis"
    await assert_none_waited(sent)
    await answered
    assert monotonic() - began > 9


async def test_F21_redis_is_full(machines: Machines, web: Process, redis: RedisServer) -> None:
    """In mid-load: what it had taken already cannot be put down as taken by whoever fetches it."""

    def fill() -> None:
        redis.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
        redis.command("CONFIG", "SET", "maxmemory", 1)

    def empty() -> None:
        redis.command("CONFIG", "SET", "maxmemory", 0)

    sent = await under_load(web, [fill])
    await assert_all_whole(machines.settings, sent)
    await assert_none_waited(sent)
    assert refusals(redis, "OOM") > 0
    empty()
    sent = await under_load(web, [fill, empty])
    await assert_all_whole(machines.settings, sent)
    await assert_none_waited(sent)
    assert [worker.process.poll() for worker in machines.workers] == [None] * len(machines.workers)


async def test_F21_redis_is_full_when_the_workers_connect_anew(
    machines: Machines, web: Process, redis: RedisServer
) -> None:
    def fill_and_cut() -> None:
        redis.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
        redis.command("CONFIG", "SET", "maxmemory", 1)
        redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    sent = await under_load(web, [fill_and_cut])
    await assert_all_whole(machines.settings, sent)
    await assert_none_waited(sent)
    assert refusals(redis, "OOM") > 0
    assert [worker.process.poll() for worker in machines.workers] == [None] * len(machines.workers)


async def test_F21_redis_has_another_password(machines: Machines, web: Process, redis: RedisServer) -> None:
    def change() -> None:
        redis.command("CONFIG", "SET", "requirepass", SECRET)
        redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes", password=SECRET)

    def change_back() -> None:
        redis.command("CONFIG", "SET", "requirepass", "", password=SECRET)

    sent = await under_load(web, [change])
    await assert_all_whole(machines.settings, sent)
    await assert_none_waited(sent)
    assert refusals(redis, "NOAUTH", SECRET) > 0
    change_back()
    sent = await under_load(web, [])
    await assert_all_whole(machines.settings, sent)
    await assert_none_waited(sent)
    assert [worker.process.poll() for worker in machines.workers] == [None] * len(machines.workers)

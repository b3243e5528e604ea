"""What one answer, one token and one viewer cost past one machine: `python -m tests.benchmarks.scaled`.

A web process, workers, PostgreSQL, Redis and a model server, each a process of its own; figures for deploy/scaling.md.
"""

import asyncio
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import orjson
import psycopg

from app.settings import Settings
from tests.conformance.configurations import Worker, worker_on
from tests.conformance.conftest import settings_for
from tests.durability.processes import ModelProcess
from tests.factories.people import add_person
from tests.generations.asking import Talk, new_talk
from tests.generations.watching import stream_of
from tests.postgres import postgres_server
from tests.process import running
from tests.redis import redis_server

ANSWERS, VIEWERS, TOKENS, RATE = 50, 250, 100, 20
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_of(pids: Sequence[int]) -> float:
    """Seconds of the processor, children that live included by their own pid."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])
    return total / TICKS


def postgres_pids(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        (backend,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
        parent = int(Path(f"/proc/{backend}/stat").read_text().rsplit(")", 1)[1].split()[1])
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True)
    return [parent, *map(int, found.stdout.split())]


def commits(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        return int((row.fetchone() or (0,))[0])


async def watch(talk: Talk, job_id: str, delays: list[float]) -> None:
    stream = stream_of(talk.process, talk.principal.user_id, job_id)
    async for batch in stream.follow(0):
        now = time.monotonic()
        for frame in batch:
            if frame.event == "delta":
                delays += [now - float(word) / 1e9 for word in orjson.loads(frame.data)["text"].split()]


async def first_text(talk: Talk, number: int) -> float:
    began = time.monotonic()
    sent = await talk.send(f"question {number} [[tokens=2]]")
    async for batch in stream_of(talk.process, talk.principal.user_id, sent.job.id).follow(0):
        if any(frame.event == "delta" for frame in batch):
            break
    return (time.monotonic() - began) * 1000


async def measure(settings: Settings, name: str, workers: list[Worker], others: dict[str, list[int]]) -> None:
    async with running(settings) as web:
        talk = await new_talk(web, await add_person(web.database, name))
        await talk.ended(await talk.send("warm up"), 40)
        first = [await first_text(talk, number) for number in range(40)]
        print(f"{name}: added time to first token, median {statistics.median(first):.0f} ms")
        talks = [await new_talk(web, talk.principal) for _ in range(ANSWERS)]
        url = settings.database_url
        groups = {"web": [os.getpid()], "workers": [worker.process.pid for worker in workers], **others}
        if url:
            groups["postgresql"] = postgres_pids(url)
        before, made = {group: cpu_of(pids) for group, pids in groups.items()}, commits(url) if url else 0
        prompt = f"go [[tokens={TOKENS} rate={RATE} text=clock]]"
        delays: list[float] = []
        viewers = []
        for number, one in enumerate(talks):
            sent = await one.send(f"{prompt} {number}")
            viewers += [asyncio.create_task(watch(one, sent.job.id, delays)) for _ in range(VIEWERS // ANSWERS)]
        await asyncio.gather(*viewers)
        tokens = ANSWERS * TOKENS
        for group, pids in groups.items():
            spent = cpu_of(pids) - before[group]
            print(f"{name}: {group:<11} {spent / tokens * 1000:.3f} s of processor for 1,000 tokens")
        if url:
            print(f"{name}: {(commits(url) - made) / tokens:.2f} transactions a token")
        delays.sort()
        print(
            f"{name}: {VIEWERS} viewers of {ANSWERS} answers: p99 delay {delays[len(delays) * 99 // 100] * 1000:.0f} ms"
        )


def main() -> None:
    with ExitStack() as stack:
        postgres, redis = stack.enter_context(postgres_server(forgetful=False)), stack.enter_context(redis_server())
        model = ModelProcess()
        stack.callback(model.kill)
        folder = Path(tempfile.mkdtemp())
        alone = settings_for("postgresql", folder / "alone", model.port, database_url=postgres.new_database())
        asyncio.run(measure(alone, "embedded", [], {}))
        values = {"database_url": postgres.new_database(), "redis_url": redis.url}
        settings = settings_for("celery", folder / "celery", model.port, **values)
        workers = [stack.enter_context(worker_on(settings))]
        asyncio.run(measure(settings, "celery", workers, {"redis": [redis.process.pid]}))


if __name__ == "__main__":
    main()

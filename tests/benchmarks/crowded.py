"""Past one machine, crowded: `python -m tests.benchmarks.crowded`.

A thousand viewers of a hundred answers on two web processes; and what a second worker process adds. PostgreSQL, Redis,
the web processes, the workers and the model server are processes of their own, and share this machine's processor.
"""

import asyncio
import os
import re
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import uvloop

from app.settings import Settings
from tests.benchmarks.clients import Teahouse, percentile, prompt
from tests.benchmarks.scaled import cpu_of, postgres_pids
from tests.benchmarks.servers import Server, start_teahouse
from tests.benchmarks.slow_core import slow_core
from tests.benchmarks.targets import table
from tests.conformance.configurations import Worker, worker_on
from tests.conformance.conftest import settings_for
from tests.databases import plain_connection
from tests.durability.processes import ModelProcess
from tests.ports import free_port
from tests.postgres import Server as Postgres
from tests.postgres import postgres_server
from tests.redis import RedisServer, redis_server

ANSWERS, VIEWERS, TOKENS, RATE, FIRST = 100, 1000, 200, 20.0, 6000.0
# Of a core, for each worker: then two of them leave enough of two cores to everybody else.
SHARE = 0.3
QUEUED, LENGTH, ROUNDS = 400, 1000, 2
EVENT = re.compile(rb"id: (\d+)\nevent: (\w+)\ndata: (.*)\n\n")


class Viewer(asyncio.Protocol):
    """Keeps one job's event stream, and when each piece came: it is read later, when nobody waits for the processor."""

    def __init__(self, job_id: str, authorization: str) -> None:
        self._request = (
            f"GET /api/v1/jobs/{job_id}/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {authorization}\r\n\r\n"
        ).encode()
        self._pieces: list[tuple[int, bytes]] = []
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._pieces.append((time.monotonic_ns(), data))
        if b"event: done" in data:
            self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def read(self) -> "Seen":
        seen, rest = Seen(), b""
        for came_at, data in self._pieces:
            rest, end = rest + data, 0
            for found in EVENT.finditer(rest):
                end = found.end()
                number, event, text = int(found[1]), found[2], found[3]
                seen.is_whole &= number == seen.last + 1
                seen.last = number
                if event == b"delta":
                    seen.delays += [(came_at - int(word)) / 1e6 for word in orjson.loads(text)["text"].split()]
                seen.has_ended |= event == b"done" and b'"succeeded"' in text
            rest = rest[end:]
        return seen


@dataclass(slots=True)
class Seen:
    """What one viewer was shown."""

    last: int = 0
    is_whole: bool = True
    has_ended: bool = False
    delays: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Site:
    settings: Settings
    webs: Sequence[Server]
    workers: Sequence[Worker]
    others: Mapping[str, Sequence[int]]

    def cpu(self) -> dict[str, float]:
        groups: dict[str, Sequence[int]] = {
            "web": [web.pid for web in self.webs],
            "workers": [worker.process.pid for worker in self.workers],
            "postgresql": postgres_pids(self.settings.database_url),
            **self.others,
            "viewers": [os.getpid()],
        }
        return {name: cpu_of(pids) for name, pids in groups.items()}


@contextmanager
def site(folder: Path, postgres: Postgres, redis: RedisServer, model: ModelProcess) -> Iterator[Site]:
    values = {"database_url": postgres.new_database(), "redis_url": redis.url}
    settings = settings_for("celery", folder, model.port, **values)
    environment = {
        "TEAHOUSE_DATABASE_URL": settings.database_url,
        "TEAHOUSE_REDIS_URL": settings.redis_url,
        "TEAHOUSE_JOBS_ENGINE": "celery",
        "TEAHOUSE_DEFAULT_MODEL": settings.default_model,
    }
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        workers = [
            stack.enter_context(worker_on(settings, "--queues", "answers", "--at-once", str(ANSWERS // 2)))
            for _ in range(2)
        ]
        for worker in workers:
            worker.wait()
        webs = []
        for _ in range(2):
            webs.append(start_teahouse(folder, settings.ollama_url, free_port(), **environment))
            stack.callback(webs[-1].stop)
        yield Site(settings, webs, workers, {"redis": [redis.process.pid], "model server": [model.process.pid]})


@asynccontextmanager
async def signed_in(server: Server) -> AsyncIterator[Teahouse]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        teahouse = Teahouse(http, server.url)
        await teahouse.sign_in()
        yield teahouse


async def ask(teahouse: Teahouse, content: str) -> str:
    path = f"/conversations/{await teahouse.conversation()}/messages"
    return str((await teahouse.post(path, {"content": content}))["job"]["id"])


async def viewers(site: Site) -> dict[str, Any]:
    """Each answer is watched ten times, half of them on each of the two web processes."""
    loop = asyncio.get_running_loop()
    async with signed_in(site.webs[0]) as teahouse:
        await ask(teahouse, prompt(0, 2, 0, 0))
        await asyncio.sleep(3)
        before = sum(web.resident_mib() for web in site.webs)
        jobs = [await ask(teahouse, prompt(n, TOKENS, RATE, FIRST)) for n in range(ANSWERS)]
        watching = []
        for number in range(VIEWERS):
            viewer = Viewer(jobs[number // 2 % ANSWERS], teahouse.headers["Authorization"])
            port = int(site.webs[number % 2].url.rpartition(":")[2])
            await loop.create_connection(lambda viewer=viewer: viewer, "127.0.0.1", port)  # type: ignore[misc]
            watching.append(viewer)
        spent, began = site.cpu(), time.monotonic()
        await asyncio.sleep(TOKENS / RATE / 2)
        grown = sum(web.resident_mib() for web in site.webs) - before
        async with asyncio.timeout(120):
            await asyncio.gather(*(viewer.done for viewer in watching))
        took = time.monotonic() - began
        cpu = {name: (after - spent[name]) / took for name, after in site.cpu().items()}
    seen = [viewer.read() for viewer in watching]
    delays = [delay for each in seen for delay in each.delays]
    return {
        "crowd_delay_p50_ms": round(percentile(delays, 0.5), 1),
        "crowd_delay_p99_ms": round(percentile(delays, 0.99), 1),
        "crowd_incomplete": sum(len(each.delays) != TOKENS or not each.is_whole or not each.has_ended for each in seen),
        "crowd_kb_per_viewer": round(grown * 1024 / VIEWERS, 1),
        **{f"crowd_cores_{name.replace(' ', '_')}": round(share, 2) for name, share in cpu.items()},
    }


async def throughput(site: Site) -> dict[str, Any]:
    """Answers a second of one worker and of two, by turns; each has a share of a core and no more."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    costs: dict[int, list[float]] = {1: [], 2: []}  # seconds of the processor for an answer, of all processes
    pids = [worker.process.pid for worker in site.workers]
    async with signed_in(site.webs[0]) as teahouse:
        for number in (1, 2) * ROUNDS:
            with _stopped(pids):
                for n in range(QUEUED):
                    await ask(teahouse, prompt(n, LENGTH, 0, 0))
                spent, began = sum(site.cpu().values()), time.monotonic()
                with ExitStack() as slow:
                    for pid in pids[:number]:
                        slow.enter_context(slow_core(pid, SHARE))
                        os.kill(pid, signal.SIGCONT)
                    await _ended(site)
                rates[number].append(QUEUED / (time.monotonic() - began))
                costs[number].append((sum(site.cpu().values()) - spent) / QUEUED)
    rate, cost = ({number: statistics.median(values) for number, values in each.items()} for each in (rates, costs))
    return {
        "workers_1_answers_per_s": round(rate[1], 2),
        "workers_2_answers_per_s": round(rate[2], 2),
        "workers_2_over_1": round(rate[2] / rate[1], 2),
        "workers_2_cpu_per_answer_over_1": round(cost[2] / cost[1], 2),
    }


@contextmanager
def _stopped(pids: Sequence[int]) -> Iterator[None]:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def _ended(site: Site) -> None:
    connection = plain_connection(site.settings)
    query = "SELECT count(*) FROM jobs WHERE status IN ('queued', 'running') AND kind = 'answer'"
    try:
        async with asyncio.timeout(180):
            while connection.execute(query).fetchone()[0]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        connection.close()


def measure(folder: Path) -> dict[str, Any]:
    results: dict[str, Any] = {}
    with ExitStack() as stack:
        postgres, redis = stack.enter_context(postgres_server(forgetful=False)), stack.enter_context(redis_server())
        model = ModelProcess()
        stack.callback(model.kill)
        with site(folder / "crowd", postgres, redis, model) as crowd:
            results |= uvloop.run(viewers(crowd))
            results |= uvloop.run(throughput(crowd))
    return results


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="teahouse-bench-") as name:
        print(table(measure(Path(name))))

"""An hour of attacks on one server, whose memory and latency are drawn. `python -m tests.campaign hour [MINUTES]`.

Strangers send the largest requests that are let in, members ask for the worst answers, a model server lists and writes
what means harm, sockets stay half open, a thief tries keys. Beside them a witness asks plain questions; each of those
has to be answered whole.
"""

import asyncio
import contextlib
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.attackers.model_servers import LISTS, STREAMS
from tests.attackers.strangers import STRANGERS, Asked
from tests.benchmarks.servers import ROOT, Server, resident_mib, start_teahouse
from tests.model_server import ModelServer, answer_for
from tests.ports import free_port
from tests.rendering.families import FAMILIES

PASSWORD = "a long password"
MODEL = "ollama/scripted:latest"
MEMBERS = 3
HALF_OPEN = 20
CROWD = 1000
SETTINGS = {"TEAHOUSE_RATE_LIMIT": "0", "TEAHOUSE_MODEL_SLOTS": "4", "TEAHOUSE_LOG_LEVEL": "ERROR"}
_HELD = re.compile(r"^teahouse_event_loop_held_up_total (\S+)", re.MULTILINE)


@dataclass(slots=True)
class Sample:
    """`at`: by the monotonic clock. `latency`: of /healthz, in seconds. `held`: how often the loop stood still."""

    at: float
    mib: float
    latency: float
    held: int


@dataclass(slots=True)
class Attack:
    url: str
    model: ModelServer
    until: float = 0.0
    samples: list[Sample] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    crowd: list[Sample] = field(default_factory=list)  # while CROWD requests of strangers were sent at once

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self.until


async def attack(seconds: float) -> Attack:
    with tempfile.TemporaryDirectory(prefix="teahouse-attack-") as folder:
        async with ModelServer() as model:
            server = await asyncio.to_thread(start_teahouse, Path(folder), model.url, free_port(), **SETTINGS)
            try:
                return await _run(Attack(server.url, model), server, seconds)
            finally:
                await asyncio.to_thread(server.stop)


async def _run(made: Attack, server: Server, seconds: float) -> Attack:
    people = []
    for name in ["witness", *(f"member{n}" for n in range(MEMBERS))]:
        async with httpx.AsyncClient(base_url=made.url) as client:
            account = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
            (await client.post("/api/v1/auth/register", json=account)).raise_for_status()
            people.append(name)
    with _sampling(made.url, server.pid) as samples:
        await _crowd(made)
        began = time.monotonic()
        made.until = began + seconds
        await asyncio.gather(
            _again(made, _witness, people[0]),
            *(_again(made, _member, name) for name in people[1:]),
            _again(made, _stranger),
            _again(made, _lists),
            _again(made, _half_open),
            _again(made, _thief),
        )
    made.crowd = [sample for sample in samples if sample.at < began]
    made.samples = [sample for sample in samples if sample.at >= began]
    return made


@contextlib.contextmanager
def _sampling(url: str, pid: int) -> Iterator[list[Sample]]:
    """Filled at the end, by a process that has nothing else to do."""
    samples: list[Sample] = []
    command = [sys.executable, "-m", "tests.long_attack", url, str(pid)]
    with tempfile.TemporaryFile() as told, subprocess.Popen(command, cwd=ROOT, stdout=told) as process:
        try:
            yield samples
        finally:
            process.terminate()
            process.wait()
            told.seek(0)
            samples += [Sample(*json.loads(line)) for line in told]


def sample(url: str, pid: int) -> None:
    """A line of JSON twice a second, until it is ended."""
    with httpx.Client(base_url=url, timeout=60) as client:
        while True:
            asked = time.monotonic()
            client.get("/healthz").raise_for_status()
            latency = time.monotonic() - asked
            held = _HELD.search(client.get("/metrics").text)
            line = [asked, resident_mib(pid), latency, int(float(held[1])) if held else 0]
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
            time.sleep(max(0.0, 0.5 - latency))


async def _again(made: Attack, act: Callable[..., Awaitable[None]], *arguments: Any) -> None:
    while made.goes_on:
        try:
            await act(made, *arguments)
        except httpx.HTTPError as error:  # a refusal is what is hoped for
            made.sent[f"{act.__name__.strip('_')}: {type(error).__name__}"] += 1
            await asyncio.sleep(0.5)


async def _crowd(made: Attack) -> None:
    async with httpx.AsyncClient(base_url=made.url, timeout=120, limits=httpx.Limits(max_connections=None)) as client:
        token = await _form_token(client)
        everybody = [STRANGERS[number % len(STRANGERS)] for number in range(CROWD)]
        await asyncio.gather(*(_send(client, asked, token) for asked in everybody), return_exceptions=True)


async def _form_token(client: httpx.AsyncClient) -> str:
    page = await client.get("/register")
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    return found[1] if found else ""


async def _send(client: httpx.AsyncClient, asked: Asked, token: str) -> httpx.Response:
    headers = {"Content-Type": asked.type, **dict(asked.headers)}
    return await client.request(asked.method, asked.path, content=asked.make(token), headers=headers)


@asynccontextmanager
async def _signed_in(made: Attack, name: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=made.url, timeout=60) as client:
        form = {"username": name, "password": PASSWORD}
        answer = (await client.post("/api/v1/auth/login", data=form)).raise_for_status()
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


async def _ask(client: httpx.AsyncClient, content: str) -> dict[str, Any]:
    """The answer, once it has ended, in a conversation of its own that is deleted then."""
    conversation = (await client.post("/api/v1/conversations", json={"model": MODEL})).raise_for_status().json()["id"]
    path = f"/api/v1/conversations/{conversation}"
    accepted = (await client.post(f"{path}/messages", json={"content": content})).raise_for_status().json()
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        job = (await client.get(f"/api/v1/jobs/{accepted['job']['id']}", params={"wait": 20})).raise_for_status().json()
        if job["finished_at"]:
            break
    else:
        await client.post(f"/api/v1/jobs/{accepted['job']['id']}/cancel")
    messages = (await client.get(f"{path}/messages")).raise_for_status().json()["items"]
    (await client.delete(path)).raise_for_status()
    return dict(messages[-1])


async def _witness(made: Attack, name: str) -> None:
    async with _signed_in(made, name) as client:
        for _ in range(50):
            if not made.goes_on:
                return
            content = f"question {made.sent['witness']} [[tokens=30 rate=100]]"
            answer = await _ask(client, content)
            made.sent["witness"] += 1
            if answer["content"] != "".join(answer_for(content)):
                made.wrong.append(f"witness: {answer['status']}, {answer.get('error')}")
            await asyncio.sleep(2)


async def _member(made: Attack, name: str) -> None:
    async with _signed_in(made, name) as client:
        for _ in range(20):
            if not made.goes_on:
                return
            if random.random() < 0.5:
                content = f"[[tokens=9 fault={random.choice(STREAMS)}]]"
            else:
                hostile = random.choice(list(FAMILIES.values()))(60_000).replace("]]", "] ]")
                content = f"{hostile} [[tokens=1200 text=echo]]"
            await _ask(client, content)
            made.sent["worst answers"] += 1
            await asyncio.sleep(1)


async def _stranger(made: Attack) -> None:
    async with httpx.AsyncClient(base_url=made.url, timeout=60) as client:
        token = await _form_token(client)
        for asked in random.sample(STRANGERS, len(STRANGERS)):
            if not made.goes_on:
                return
            answer = await _send(client, asked, token)
            made.sent["strangers' requests"] += 1
            if answer.status_code >= 500 and answer.status_code != 503:
                made.wrong.append(f"{asked.name}: {answer.status_code}")
            await asyncio.sleep(0.2)


async def _lists(made: Attack) -> None:
    made.model.path_faults = {"/api/tags": random.choice(LISTS)}
    async with _signed_in(made, "member0") as client:
        await client.get("/api/v1/models")
    made.sent["lists of models"] += 1
    made.model.path_faults = {}
    made.model.requests.clear()  # which are kept else
    await asyncio.sleep(5)


async def _half_open(made: Attack) -> None:
    port = int(made.url.rsplit(":", 1)[1])
    opened = []
    for number in range(HALF_OPEN):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
            writer.write(head[:40] if number % 2 else head + b"x" * 200_000)
            opened.append(writer)
    await asyncio.sleep(20)
    for writer in opened:
        writer.close()
    made.sent["half-open connections"] += len(opened)


async def _thief(made: Attack) -> None:
    async with httpx.AsyncClient(base_url=made.url, timeout=30) as client:
        for number in range(20):
            token = f"th_{number:043d}" if number % 2 else f"a.{number}.b"
            answer = await client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
            made.sent["guessed tokens"] += 1
            if answer.status_code != 401:
                made.wrong.append(f"a guessed token: {answer.status_code}")
    await asyncio.sleep(1)


def summary(made: Attack) -> list[str]:
    """Markdown."""
    latencies = sorted(sample.latency for sample in made.samples)
    tenth = max(1, len(made.samples) // 10)
    longest = max((sample.latency for sample in made.crowd), default=0.0)
    first = statistics.median(sample.mib for sample in made.samples[tenth : 2 * tenth])
    last = statistics.median(sample.mib for sample in made.samples[-tenth:])
    sent = ", ".join(f"{number:,} {name}" for name, number in sorted(made.sent.items()))
    return [
        f"{(made.samples[-1].at - made.samples[0].at) / 60:.0f} minutes: {sent}.",
        "",
        "| | |",
        "| --- | ---: |",
        f"| memory, second tenth / last tenth / most | {first:.0f} / {last:.0f} / "
        f"{max(sample.mib for sample in made.samples):.0f} MiB |",
        f"| /healthz, median / 99 of 100 / longest | {statistics.median(latencies) * 1000:.0f} / "
        f"{latencies[int(len(latencies) * 0.99)] * 1000:.0f} / {latencies[-1] * 1000:.0f} ms |",
        f"| /healthz while {CROWD:,} strangers come at once, longest | {longest * 1000:.0f} ms |",
        f"| loop held up for half a second | {made.samples[-1].held} times |",
        f"| what went wrong | {len(made.wrong)} |",
        *[f"| | {what} |" for what in made.wrong[:20]],
    ]


def drawing(made: Attack) -> str:
    """An SVG of two curves over time: memory, and how long /healthz took (the longest of each ten seconds)."""
    began, length = made.samples[0].at, made.samples[-1].at - made.samples[0].at
    latency: dict[int, float] = {}
    for each in made.samples:
        tens = int((each.at - began) // 10)
        latency[tens] = max(latency.get(tens, 0.0), each.latency * 1000)
    curves = [
        ("memory, MiB", [(each.at - began, each.mib) for each in made.samples]),
        ("/healthz, ms", [(10.0 * tens, most) for tens, most in sorted(latency.items())]),
    ]
    width, height, left = 800, 220, 60
    parts = []
    for index, (name, points) in enumerate(curves):
        top = 30 + index * (height + 50)
        most = max(value for _, value in points) * 1.1
        line = " ".join(
            f"{left + at / length * width:.1f},{top + height - value / most * height:.1f}" for at, value in points
        )
        marks = "".join(
            f'<text x="{left - 6}" y="{top + height * (1 - share) + 4}" text-anchor="end">{most * share:.0f}</text>'
            f'<path d="M{left} {top + height * (1 - share)}h{width}" stroke="#ddd"/>'
            for share in (0.0, 0.25, 0.5, 0.75, 1.0)
        )
        parts.append(
            f'<text x="{left}" y="{top - 8}" font-weight="bold">{name}</text>{marks}'
            f'<polyline points="{line}" fill="none" stroke="#1f6f54" stroke-width="1.2"/>'
        )
    bottom = 30 + 2 * (height + 50)
    minutes = "".join(
        f'<text x="{left + width * n / 6:.0f}" y="{bottom - 25}" text-anchor="middle">{length / 360 * n:.0f} min</text>'
        for n in range(7)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 40}" height="{bottom}" '
        f'font-family="sans-serif" font-size="12" fill="#333"><rect width="100%" height="100%" fill="#fff"/>'
        f"{''.join(parts)}{minutes}</svg>\n"
    )


if __name__ == "__main__":
    sample(sys.argv[1], int(sys.argv[2]))

"""The whole site, Nginx and three workers, beside the app alone: what they add and hold, what a restart costs."""

import asyncio
import re
import signal
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from os import kill
from pathlib import Path
from typing import Any

import aiohttp

from tests.benchmarks.clients import Measured, Teahouse, at_once, percentile, prompt
from tests.benchmarks.servers import NO_LIMITS, start_teahouse
from tests.model_server import answer_for
from tests.ports import free_port
from tests.stack.stack import Stack, stack
from tests.stack.visitor import Visitor, sign_up, visitors

ONE_BY_ONE, TOGETHER, TOKENS, RATE, FIRST = 30, 50, 200, 50.0, 100.0
VIEWERS = 100
FOLLOWED = "Of tea, {} [[tokens=200 rate=10 first=50]]"


async def measure() -> dict[str, Any]:
    """In a folder that Nginx's workers, who are somebody else, may look into."""
    with tempfile.TemporaryDirectory(prefix="teahouse-front-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        return await _run(folder)


async def _run(folder: Path) -> dict[str, Any]:
    results: dict[str, Any] = {}
    with stack(folder, tls=None, prepare=None, **NO_LIMITS) as site:
        await asyncio.sleep(3)
        results["front_idle_pss_mib"] = round(_pss_mib(site.app.pids()), 1)
        results["front_static_per_s"] = _static_rate(site)
        results |= await _added(site, folder)
        results |= await _restarts(site)
        results["front_nine_workers_start_s"] = _start_with(site, 9)
    return results


def _pss_mib(pids: list[int]) -> float:
    """Pages that several share are counted once in all."""
    rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    return sum(int(re.findall(r"^Pss:\s+(\d+)", rollup, re.M)[0]) for rollup in rollups) / 1024


def _static_rate(site: Stack) -> int:
    """Requests a second for a stylesheet; none of them reaches the app."""
    page = urllib.request.urlopen(f"{site.url}/register", timeout=10).read().decode()
    path = re.findall(r'href="(/static/[^"]+\.css[^"]*)"', page)[0]
    command = ["wrk", "-t1", "-c32", "-d5s", "-H", "Accept-Encoding: gzip", site.url + path]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    assert "Non-2xx" not in said, said
    assert not [line for line in site.log_lines("access.log") if "/static/" in str(line.get("path"))]
    return round(float(re.findall(r"Requests/sec:\s+([0-9.]+)", said)[0]))


async def _added(site: Stack, folder: Path) -> dict[str, Any]:
    """Over the app alone. Of three viewers two are, on average, on another worker than the runner."""
    data = folder / "alone"
    data.mkdir()
    alone = start_teahouse(data, site.model.url, free_port())
    try:
        direct_one, direct = await _measure(alone.url)
    finally:
        alone.stop()
    through_one, through = await _measure(site.url)
    p99 = {
        name: percentile([d for m in each for d in m.delays], 0.99) * 1000
        for name, each in (("alone", direct), ("front", through))
    }
    first = [statistics.median(m.first_token for m in each) for each in (direct_one, through_one)]
    return {
        "front_added_ttft_ms": round((first[1] - first[0]) * 1000, 1),
        "front_token_delay_p99_ms": round(p99["front"], 1),
        "front_token_delay_p99_ms_alone": round(p99["alone"], 1),
        "front_added_token_delay_p99_ms": round(p99["front"] - p99["alone"], 1),
        "front_failed": sum(1 for m in (*through_one, *through) if m.failed),
    }


async def _measure(url: str) -> tuple[list[Measured], list[Measured]]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(None)) as http:
        teahouse = Teahouse(http, url)
        await teahouse.sign_in()
        conversations = [await teahouse.conversation() for _ in range(ONE_BY_ONE)]
        one_by_one = [await teahouse.ask(c, prompt(i, 5, 0, FIRST)) for i, c in enumerate(conversations)]
        conversations = [await teahouse.conversation() for _ in range(TOGETHER)]
        content = [prompt(1000 + i, TOKENS, RATE, FIRST) for i in range(TOGETHER)]
        return one_by_one, await at_once(TOGETHER, lambda i: teahouse.ask(conversations[i], content[i]))


async def _restarts(site: Stack) -> dict[str, Any]:
    """A hundred open streams; what their viewers see of each way to a new server."""
    tokens = [await asyncio.to_thread(sign_up, site.url, name) for name in ("alice", "bob", "charlie")]

    def restart() -> None:
        site.app.ask("restart")
        site.app.wait("ready")

    def reload() -> None:
        site.app.ask("reload")
        site.app.wait("main ")

    ways: dict[str, Callable[[], None]] = {
        "restart": restart,
        "reload": reload,
        "hup": lambda: kill(site.app.main_pid, signal.SIGHUP),
    }
    results: dict[str, Any] = {}
    for name, deed in ways.items():
        async with visitors(site.url, tokens) as viewers:
            wrong = await _followed(viewers, deed)
        results[f"front_{name}_failed_100"] = sum(len(viewer.failed) for viewer in viewers)
        results[f"front_{name}_wrong_100"] = wrong
        results[f"front_{name}_silence_s_100"] = round(max(viewer.longest_silence for viewer in viewers), 2)
    return results


async def _followed(viewers: list[Visitor], deed: Callable[[], None]) -> int:
    """How many answers were not shown word for word to their end."""
    content = [FOLLOWED.format(n) for n in range(VIEWERS)]
    begun = [await viewers[n % 3].begin(content[n]) for n in range(VIEWERS)]
    following = [asyncio.create_task(viewers[n % 3].watch(each[0])) for n, each in enumerate(begun) if each]
    await asyncio.sleep(3)
    await asyncio.to_thread(deed)
    seen = await asyncio.gather(*following)
    right = sum(
        each.text == "".join(answer_for(c)) and not each.restarts for c, each in zip(content, seen, strict=False)
    )
    return VIEWERS - right


def _start_with(site: Stack, workers: int) -> float:
    """From the supervisor's word until each worker has said that it serves."""
    site.app.ask("stop")
    env = site.root / ".env"
    env.write_text(re.sub(r"TEAHOUSE_WORKERS=\d+", f"TEAHOUSE_WORKERS={workers}", env.read_text()))
    before, began = _serving(site), time.monotonic()
    site.app.ask("start")
    while _serving(site) - before < workers:
        assert time.monotonic() - began < 60, site.app.journal()[-2000:]
        time.sleep(0.02)
    return round(time.monotonic() - began, 2)


def _serving(site: Stack) -> int:
    return sum(str(line["message"]).startswith("serving: ") for line in site.log_lines())

"""Run every benchmark, print a table, write bench-results/latest.json."""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

from tests.benchmarks import (
    application,
    backups,
    bench_rendering,
    crowded,
    durability,
    following,
    footprint,
    front,
    long_queue,
    pages,
    reading,
)
from tests.benchmarks.clients import Measured, Teahouse, ask_model_server, at_once, percentile, prompt
from tests.benchmarks.servers import ROOT, Server, model_server, start_teahouse
from tests.benchmarks.targets import table
from tests.ports import free_port

TOKENS, RATE, FIRST = 200, 50.0, 100.0


async def answers(server: Server, teahouse: Teahouse, model_url: str, http: aiohttp.ClientSession) -> dict[str, Any]:
    """Time to first token, token delay and CPU, over a client that asks the model server itself."""
    results: dict[str, Any] = {}
    conversations = [await teahouse.conversation() for _ in range(20)]
    direct = [await ask_model_server(http, model_url, prompt(i, 5, 0, FIRST)) for i in range(20)]
    through = [await teahouse.ask(c, prompt(i, 5, 0, FIRST)) for i, c in enumerate(conversations)]
    results["added_ttft_ms_one"] = _added(direct, through)
    for number in (50, 200):
        conversations = [await teahouse.conversation() for _ in range(number)]
        content = [prompt(1000 * number + i, TOKENS, RATE, FIRST) for i in range(number)]
        direct = await at_once(number, lambda i: ask_model_server(http, model_url, content[i]))  # noqa: B023
        await asyncio.sleep(2)
        before = server.cpu_seconds()
        through = await at_once(number, lambda i: teahouse.ask(conversations[i], content[i]))  # noqa: B023
        cpu = server.cpu_seconds() - before
        tokens = sum(m.tokens for m in through)
        delays = [d for m in through for d in m.delays]
        results[f"added_ttft_ms_{number}"] = _added(direct, through)
        for failed in {m.failed for m in through if m.failed}:
            print("failed:", failed, file=sys.stderr)
        results[f"failed_{number}"] = sum(1 for m in through if m.failed or m.tokens != TOKENS)
        results[f"token_delay_p99_ms_{number}"] = round(percentile(delays, 0.99) * 1000, 1)
        results[f"token_delay_p99_ms_{number}_direct"] = round(
            percentile([d for m in direct for d in m.delays], 0.99) * 1000, 1
        )
        results[f"cpu_s_per_1000_tokens_{number}"] = round(cpu / tokens * 1000, 3)
        await asyncio.sleep(5)  # titles are written when the queue is idle
    return results


def _added(direct: list[Measured], through: list[Measured]) -> float:
    median = statistics.median(m.first_token for m in through) - statistics.median(m.first_token for m in direct)
    return round(median * 1000, 1)


async def run(quick: bool) -> dict[str, Any]:
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="teahouse-bench-") as folder, model_server() as model_url:
        data_dir, port = Path(folder), free_port()
        start_teahouse(data_dir, model_url, port).stop()  # migrates; and the page cache is warm
        server = start_teahouse(data_dir, model_url, port)
        results["start_s"] = round(server.started_in, 2)
        try:
            await asyncio.sleep(3)
            results["idle_mib"] = round(server.resident_mib(), 1)
            connector = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(None)) as http:
                teahouse = Teahouse(http, server.url)
                await teahouse.sign_in()
                results |= await following.run(server, teahouse.headers)
                results |= await reading.run(teahouse, data_dir)
                results |= await answers(server, teahouse, model_url, http)
        finally:
            server.stop()
        results |= await durability.run(data_dir / "killed", model_url)
        results |= await pages.run(data_dir / "pages")
        if not quick:
            results |= await backups.run(data_dir / "backups", model_url)
            results |= await asyncio.to_thread(crowded.measure, data_dir / "crowded")
        results |= await asyncio.to_thread(long_queue.measure, data_dir / "queues")
        results |= await application.run(data_dir / "application")
        results |= await front.measure()
    results |= {f"rendering_{name}": value for name, value in bench_rendering.run().items()}
    if not quick:
        results |= footprint.run()
    return results


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--quick", action="store_true", help="without the gigabyte to back up, the crowd, and the packages to weigh"
    )
    arguments = parser.parse_args()
    began = time.monotonic()
    results = asyncio.run(run(arguments.quick))
    results["took_s"] = round(time.monotonic() - began, 1)
    folder = ROOT / "bench-results"
    folder.mkdir(exist_ok=True)
    (folder / "latest.json").write_text(json.dumps(results, indent=2) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()

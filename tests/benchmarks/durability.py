"""SIGKILL in mid-answer, then a restart: what of the shown text is kept, and whether the answer is finished."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from tests.benchmarks.clients import Teahouse, prompt
from tests.benchmarks.servers import start_teahouse
from tests.model_server import answer_for
from tests.ports import free_port


async def run(data_dir: Path, model_url: str) -> dict[str, Any]:
    data_dir.mkdir()
    port = free_port()
    content = prompt(7, 150, 50, 50, "plain")
    server = start_teahouse(data_dir, model_url, port)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(None)) as http:
        teahouse = Teahouse(http, server.url)
        await teahouse.sign_in()
        conversation = await teahouse.conversation()
        accepted = await teahouse.post(f"/conversations/{conversation}/messages", {"content": content})
        job = f"/jobs/{accepted['job']['id']}"
        shown = await _text_until(teahouse, job, 60)
        server.process.kill()
        server.process.wait()
        server = start_teahouse(data_dir, model_url, port)
        try:
            kept = await _text_until(teahouse, job, 10_000)
        finally:
            server.stop()
    expected = "".join(answer_for(content))
    return {
        "killed_shown_characters": len(shown),
        "killed_shown_kept": kept.startswith(shown),
        "killed_answer_finished": kept == expected,
    }


async def _text_until(teahouse: Teahouse, job: str, events: int) -> str:
    """Replay the job's events until so many deltas, or its end."""
    text, after, deltas = "", 0, 0
    while deltas < events:
        body = orjson.loads(await teahouse.get(f"{job}?wait=20&after={after}"))
        for event in body["events"]:
            after = event["id"]
            if event["event"] == "delta":
                text += event["data"]["text"]
                deltas += 1
            if event["event"] == "done":
                return text
        await asyncio.sleep(0)
    return text

"""The scripted server as a process: killed, and back on the same port with the same answers."""

import asyncio
import json
import sys
from pathlib import Path

import aiohttp

from tests.model_server import answer_for

ROOT = Path(__file__).parents[2]


async def start(*arguments: str) -> tuple[asyncio.subprocess.Process, dict[str, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.model_server", *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    return process, json.loads(await process.stdout.readline())


async def test_it_can_be_killed_and_started_again_on_its_port() -> None:
    port, answers = "0", []
    prompt = "hello"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        for _ in range(2):
            process, ready = await start("--port", port, "--tokens", "5")
            port = str(ready["port"])
            messages = [{"role": "user", "content": prompt}]
            body = {"model": "scripted", "messages": messages, "stream": False}
            try:
                async with session.post(f"{ready['url']}/api/chat", json=body) as response:
                    answers.append((await response.json())["message"]["content"])
                async with session.get(f"{ready['url']}/_requests") as response:
                    assert [request["path"] for request in await response.json()] == ["/api/chat"]
            finally:
                process.kill()
                await process.wait()
    assert answers == ["".join(answer_for(prompt, 5))] * 2

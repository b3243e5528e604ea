"""The scripted model server as it is looked at: it tells stories, slowly, and its downloads stay half done.

As a program (`python -m tests.browser.storyteller`) it is that server.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from itertools import cycle
from typing import Any

from tests.browser import stories
from tests.model_server import ModelServer, ollama, play, script, server

MODELS = ("qwen3:8b", "llama3.2:3b", "thinker:latest")
SLOW = script.Script(tokens=script.ENDLESS, rate=6)
BUSY = script.Script(fault="status:429:240")
THINKS = script.Script(tokens=script.ENDLESS, rate=4, think=4000)


def is_chinese(text: str) -> bool:
    return re.search("[一-鿿]", text) is not None


def words(prompt: str, text: str) -> Iterator[str]:
    """Word by word; in Chinese letter by letter."""
    told = stories.THOUGHT if prompt.startswith("think ") else stories.STORY
    yield from cycle(re.findall(r"[一-鿿]|\s*[^\s一-鿿]+", told.zh if is_chinese(prompt) else told.en))


def script_for(prompt: str, default: script.Script | None = None) -> script.Script:
    if prompt in (stories.HURRIED.en, stories.HURRIED.zh):
        return BUSY
    return THINKS if prompt in (stories.THINKING.en, stories.THINKING.zh) else SLOW


def thinking_for(prompt: str, default: script.Script | None = None) -> list[str]:
    found = words(f"think {prompt}", "")
    return [next(found) for _ in range(script_for(prompt).think)]


def pull_lines(name: str) -> list[dict[str, Any]]:
    """It comes to 43 %, and stays there."""
    if "missing" in name:
        return [{"status": "pulling manifest"}, {"error": "pull model manifest: file does not exist"}]
    digest = f"sha256:{ollama.digest_of(name)}"
    layer = {"status": f"pulling {digest[7:19]}", "digest": digest, "total": 4_920_000_000}
    done = [layer | {"completed": 492_000_000 * step // 10} for step in range(0, 44)]
    return [{"status": "pulling manifest"}, *done, *[done[-1]] * 10_000]


async def main() -> None:
    script._words = words
    server.script_for = script_for  # type: ignore[attr-defined]
    play.thinking_for = thinking_for  # type: ignore[attr-defined]
    ollama._pull_lines = pull_lines
    async with ModelServer(models=MODELS, pull_delay=0.02) as running:
        print(json.dumps({"url": running.url}), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())

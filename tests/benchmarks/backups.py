"""What people notice of an online backup of a large database; how long the doctor looks at it."""

import asyncio
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp

from app.ids import new_id
from tests.benchmarks.clients import Teahouse, percentile, prompt
from tests.benchmarks.reading import CONVERSATION, MESSAGE, NOW
from tests.benchmarks.servers import ROOT, start_teahouse
from tests.ports import free_port

BYTES, MESSAGE_BYTES, PER_CONVERSATION = 1_000_000_000, 3_000, 50
BESIDE_SECONDS, EACH = 15.0, 0.05
WORDS = ("tea", "leaf", "water", "steam", "cup", "kettle", "porcelain", "garden", "bridge", "lantern", "ink", "letter")


async def run(data_dir: Path, model_url: str) -> dict[str, Any]:
    """Messages are accepted at a steady pace: for a while alone, then while a backup is made, then alone again."""
    data_dir.mkdir()
    server = start_teahouse(data_dir, model_url, free_port())
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(None)) as http:
            teahouse = Teahouse(http, server.url)
            await teahouse.sign_in()
            await asyncio.to_thread(_fill, data_dir / "teahouse.db")
            alone = await _accepted(teahouse, asyncio.create_task(asyncio.sleep(BESIDE_SECONDS)))
            began = time.monotonic()
            making = asyncio.create_task(_run("backup", str(data_dir / "away"), data_dir=data_dir))
            during = await _accepted(teahouse, making)
            took = time.monotonic() - began
            alone += await _accepted(teahouse, asyncio.create_task(asyncio.sleep(BESIDE_SECONDS)))
            began = time.monotonic()
            await _run("doctor", data_dir=data_dir)
            doctor = time.monotonic() - began
    finally:
        server.stop()
    (archive,) = (data_dir / "away").iterdir()
    p99 = [percentile(times, 0.99) * 1000 for times in (alone, during)]
    return {
        "backup_database_mb": round((data_dir / "teahouse.db").stat().st_size / 1e6),
        "backup_archive_mb": round(archive.stat().st_size / 1e6),
        "backup_s": round(took, 1),
        "backup_accepted_p99_ms_alone": round(p99[0], 1),
        "backup_accepted_p99_ms": round(p99[1], 1),
        "backup_accepted_p99_ratio": round(p99[1] / p99[0], 2),
        "doctor_large_s": round(doctor, 2),
    }


async def _accepted(teahouse: Teahouse, until: "asyncio.Task[Any]") -> list[float]:
    """Seconds until each 202, at a steady pace however long one takes."""
    times: list[float] = []

    async def one(conversation: str, number: int) -> None:
        began = time.perf_counter()
        accepted = await teahouse.post(f"/conversations/{conversation}/messages", {"content": prompt(number, 3, 0, 0)})
        times.append(time.perf_counter() - began)
        assert "job" in accepted, accepted

    waiting: list[asyncio.Task[None]] = []
    while not until.done():
        conversation = await teahouse.conversation()
        waiting.append(asyncio.create_task(one(conversation, len(waiting))))
        await asyncio.sleep(EACH)
    await asyncio.gather(*waiting)
    await until
    return times


async def _run(*arguments: str, data_dir: Path) -> None:
    command = [str(Path(sys.executable).parent / "teahouse"), *arguments]
    environment = {"PATH": "/usr/bin:/bin", "TEAHOUSE_DATA_DIR": str(data_dir), "TEAHOUSE_EMBEDDED_MODEL": "off"}
    nothing = subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stdout=nothing, stderr=nothing)
    # The doctor misses a model server, which is what it is for.
    assert await process.wait() in ((0,) if arguments[0] == "backup" else (0, 1))


def _fill(database: Path) -> None:
    """A gigabyte of messages, in conversations of fifty."""
    source = random.Random(7)
    texts = [" ".join(source.choices(WORDS, k=MESSAGE_BYTES // 7)) for _ in range(200)]
    connection = sqlite3.connect(database)
    (user_id,) = connection.execute("SELECT id FROM users LIMIT 1").fetchone()
    for number in range(BYTES // MESSAGE_BYTES // PER_CONVERSATION):
        conversation, ids = new_id(), [new_id() for _ in range(PER_CONVERSATION)]
        connection.execute(CONVERSATION, (conversation, user_id, f"Conversation {number}", ids[-1], NOW, NOW))
        rows = [
            (ids[i], conversation, ids[i - 1] if i else None, ("user", "assistant")[i % 2], source.choice(texts), NOW)
            for i in range(PER_CONVERSATION)
        ]
        connection.executemany(MESSAGE, rows)
        if number % 200 == 0:
            connection.commit()
    connection.commit()
    connection.close()

"""SIGKILL at each step of accepting a message: all of it is there, or nothing; the repeat gets the one job."""

import asyncio
import os
import subprocess
from pathlib import Path

import aiohttp
import pytest

from app.db.session import plain_connection
from tests.databases import SQLITE, chosen, new_database_url
from tests.durability.client import GONE, Client
from tests.durability.processes import ROOT, wait_for
from tests.effort import effort
from tests.fork_server import Forked
from tests.ports import free_port

pytestmark = [
    pytest.mark.kill,
    pytest.mark.campaign,
    pytest.mark.timeout(240),
    pytest.mark.usefixtures("kind_of_database"),
]
# Every second one, on SQLite the odd, on PostgreSQL the even; before a release every one on both.
STEP = effort(2, 1)


def _start(data_dir: Path, url: str, port: int) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TEAHOUSE_")}
    environment |= {"TEAHOUSE_DATA_DIR": str(data_dir), "TEAHOUSE_OLLAMA_URL": "http://127.0.0.1:9"}
    environment |= {"TEAHOUSE_EMBEDDED_MODEL": "off", "TEAHOUSE_RATE_LIMIT": "0", "TEAHOUSE_DATABASE_URL": url}
    process = Forked(
        ["tests.durability.dying_server", str(port), str(data_dir / "die-at")],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(f"http://127.0.0.1:{port}/healthz", process)
    return process


def _rows(where: Path | str) -> tuple[int, int, int]:
    database = plain_connection(where, write=False)
    try:
        tables = ("jobs", "messages", "idempotency_keys")
        messages = "WHERE role = 'user'"
        counts = [
            database.execute(f"SELECT count(*) FROM {t} {messages if t == 'messages' else ''}").fetchone()[0]
            for t in tables
        ]
    finally:
        database.close()
    return counts[0], counts[1], counts[2]


async def test_F01_killed_at_each_visit_of_a_202_it_is_all_or_nothing_and_the_repeat_is_the_one(
    tmp_path: Path,
) -> None:
    port, data_dir, url = free_port(), tmp_path / "data", new_database_url()
    where = url or data_dir / "teahouse.db"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as http:
        client = Client(http, f"http://127.0.0.1:{port}", "alice")
        accepted, visit, died = 0, 1 - STEP if chosen() == SQLITE else 0, True
        process = _start(data_dir, url, port)
        try:
            await client.sign_in()
            while died:
                visit += STEP
                conversation = await client.conversation()
                before = _rows(where)
                (data_dir / "die-at").write_text(str(visit))
                died = await _dies(client, conversation, f"key-{visit}")
                if died:
                    after = _rows(where)
                    made = tuple(b - a for a, b in zip(before, after, strict=True))
                    assert made in ((0, 0, 0), (1, 1, 1)), made
                    accepted += made[0]
                    await asyncio.to_thread(wait_for, f"http://127.0.0.1:{port}/healthz", process)
                answer = await client.send(conversation, "die", f"key-{visit}")
                jobs = await client.get("/jobs?kind=answer&limit=500")
                assert answer["job"]["id"] in {job["id"] for job in jobs["items"]}
                assert _rows(where) == (before[0] + 1, before[1] + 1, before[2] + 1)
        finally:
            process.kill()
            process.wait()
        assert not (data_dir / "die-at").exists(), "it was told each time"
        assert visit > 6, "too few visits to be true"
        assert accepted >= 1, "killed after the commit it was there"


async def _dies(client: Client, conversation: str, key: str) -> bool:
    try:
        await client.send_once(conversation, "die", key)
    except GONE:
        return True
    return False

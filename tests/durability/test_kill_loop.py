"""SIGKILL at random moments: of the serving process, of one worker of three, of the model server."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from app.db.session import plain_connection
from tests.databases import SQLITE, chosen
from tests.durability.client import Client, Seen
from tests.durability.processes import ServerProcess, model_process, server_process
from tests.effort import effort
from tests.model_server import answer_for

pytestmark = [
    pytest.mark.kill,
    pytest.mark.campaign,
    pytest.mark.timeout(effort(240, 1800)),
    pytest.mark.usefixtures("kind_of_database"),
]

KILLS = effort(4, 100)
SEED = int(os.environ.get("KILL_SEED", random.randrange(10**6)))


def _prompt(client: int, number: int) -> str:
    return f"question {number} of {client} [[tokens=60 rate=60 first=50]]"


async def _converse(client: Client, who: int, stop: asyncio.Event) -> list[tuple[str, dict[str, str], list[Seen]]]:
    """Ask one question after the other until told to stop: the ledger of what was accepted and what was shown."""
    ledger = []
    number = 0
    while not stop.is_set():
        conversation = await client.conversation()
        content = _prompt(who, number)
        accepted = await client.send(conversation, content, f"{who}-{number}")
        job = accepted["job"]["id"]
        viewers = await asyncio.gather(client.follow(job), client.follow(job, leave=True))
        ledger.append((content, {"job": job, "message": accepted["assistant_message"]["id"]}, list(viewers)))
        number += 1
    return ledger


async def _campaign(server: ServerProcess, kill: Callable[[], None]) -> int:
    """Clients converse while `kill` is called at random moments; then everything is checked. Answers, in all."""
    stop = asyncio.Event()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(60)) as http:
        clients = [Client(http, server.url, f"client{i}") for i in range(4)]
        for client in clients:
            await client.sign_in()
        talks = [asyncio.create_task(_converse(client, i, stop)) for i, client in enumerate(clients)]
        for _ in range(KILLS):
            await asyncio.sleep(random.uniform(0.1, 1.0))
            await asyncio.to_thread(kill)
        stop.set()
        ledgers = await asyncio.wait_for(asyncio.gather(*talks), 90)
        for client, ledger in zip(clients, ledgers, strict=True):
            for content, ids, viewers in ledger:
                await _check(client, content, ids, viewers)
    _check_rows(server.database)
    return sum(map(len, ledgers))


async def _check(client: Client, content: str, ids: dict[str, str], viewers: list[Seen]) -> None:
    expected = "".join(answer_for(content))
    message = await client.get(f"/messages/{ids['message']}")
    assert message["status"] == "complete", message["error"]
    assert message["content"] == expected
    assert len(message["sibling_ids"]) == 1
    for seen in viewers:
        assert seen.text == expected
        assert not seen.shrank
        assert not seen.restarts
        assert all(a < b for a, b in zip(seen.ids, seen.ids[1:], strict=False)), seen.ids
        assert seen.done is not None
        assert seen.done["job"]["status"] == "succeeded"


def _check_rows(where: Path | str) -> None:
    database = plain_connection(where, write=False)
    try:
        if chosen() == SQLITE:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        for query in (
            "SELECT * FROM jobs WHERE kind = 'answer' AND status <> 'succeeded'",
            "SELECT * FROM messages WHERE status = 'generating'",
            "SELECT job_id FROM job_events WHERE event = 'done' GROUP BY job_id HAVING count(*) > 1",
            "SELECT job_id FROM job_events GROUP BY job_id HAVING max(seq) - min(seq) + 1 <> count(*)",
            "SELECT parent_id FROM messages WHERE role = 'assistant' GROUP BY parent_id HAVING count(*) > 1",
        ):
            assert database.execute(query).fetchall() == [], query
    finally:
        database.close()


async def test_F03_the_serving_process_is_killed_many_times(tmp_path: Path) -> None:
    random.seed(SEED)
    print("KILL_SEED", SEED)
    with model_process() as model, server_process(tmp_path / "data", model.url) as server:

        def kill() -> None:
            server.kill()
            server.start()

        assert await _campaign(server, kill) >= 4


async def test_F02_one_of_three_workers_is_killed_many_times(tmp_path: Path) -> None:
    random.seed(SEED)
    with model_process() as model, server_process(tmp_path / "data", model.url, workers=3) as server:

        def kill() -> None:
            while len(server.worker_pids()) < 3:
                time.sleep(0.05)
            time.sleep(1)  # Gunicorn's new one takes so long to begin; without it, there would soon be none
            os.kill(random.choice(server.worker_pids()), signal.SIGKILL)

        assert await _campaign(server, kill) >= 4


async def test_F10_the_model_server_is_killed_many_times(tmp_path: Path) -> None:
    random.seed(SEED)
    with model_process() as model, server_process(tmp_path / "data", model.url) as server:

        def kill() -> None:
            model.kill()
            model.start()

        assert await _campaign(server, kill) >= 4


def test_the_check_itself_finds_what_is_wrong() -> None:
    seen = Seen()
    seen.take(1, "delta", {"text": "tea "})
    seen.take(3, "snapshot", {"content": "house", "thinking": ""})
    assert seen.shrank

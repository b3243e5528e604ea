"""A deploy, and deaths, while people are reading."""

import asyncio
import contextlib
import os
import random
import signal
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pysqlite3
import pytest

from tests.model_server import answer_for
from tests.stack.stack import Stack
from tests.stack.visitor import Visitor, visitors

pytestmark = pytest.mark.timeout(180)

READERS = 15  # by stream, and as many by long poll; `make bench` takes a hundred
PROMPT = "Tell me of tea, {} [[tokens=160 rate=20 first=50]]"


@pytest.fixture
async def readers(site: Stack, tokens: list[str]) -> AsyncIterator[list[Visitor]]:
    async with visitors(site.url, tokens) as made:
        yield made


async def reading(site: Stack, readers: list[Visitor], deed: Any) -> None:
    """Many answers are followed while `deed` happens: none is lost or doubled, and nobody is turned away."""
    begun = [await readers[n % 3].begin(PROMPT.format(n)) for n in range(2 * READERS)]
    started = [each for each in begun if each is not None]
    assert len(started) == len(begun), readers
    following = [
        asyncio.create_task(readers[n % 3].watch(job) if n < READERS else readers[n % 3].poll(job))
        for n, (job, _) in enumerate(started)
    ]
    stop = asyncio.Event()
    asking = asyncio.create_task(_go_on_asking(readers[0], stop))
    await asyncio.sleep(1.5)
    await asyncio.to_thread(deed)
    seen = await asyncio.wait_for(asyncio.gather(*following), 90)
    stop.set()
    asked = await asking
    for n, ((_, message_id), each) in enumerate(zip(started, seen, strict=True)):
        expected = "".join(answer_for(PROMPT.format(n)))
        assert each.text == expected and not each.restarts and not each.shrank
        assert all(a < b for a, b in zip(each.ids, each.ids[1:], strict=False))
        message = await readers[n % 3].ask("GET", f"/messages/{message_id}")
        assert (message["status"], message["content"]) == ("complete", expected)
    assert asked >= 5
    _check_rows(site.root / "data" / "teahouse.db")


async def _go_on_asking(visitor: Visitor, stop: asyncio.Event) -> int:
    """What everybody else does meanwhile: read lists, write messages."""
    number = 0
    while not stop.is_set():
        await visitor.ask("GET", "/conversations")
        await visitor.begin(f"And {number}? [[tokens=2]]")
        number += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.05)
    return number


def _check_rows(path: Path) -> None:
    database = pysqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        for query in (
            "SELECT job_id FROM job_events WHERE event = 'done' GROUP BY job_id HAVING count(*) > 1",
            "SELECT job_id FROM job_events GROUP BY job_id HAVING max(seq) - min(seq) + 1 <> count(*)",
            "SELECT parent_id FROM messages WHERE role = 'assistant' GROUP BY parent_id HAVING count(*) > 1",
        ):
            assert database.execute(query).fetchall() == [], query
    finally:
        database.close()


@pytest.mark.parametrize("word", ["restart", "reload", "HUP"])
async def test_a_deploy_turns_nobody_away(site: Stack, readers: list[Visitor], word: str) -> None:
    """TERM and a start by systemd, new code by USR2, new settings by HUP."""
    before = site.app.main_pid

    def deed() -> None:
        if word == "HUP":
            workers = set(site.app.worker_pids())
            os.kill(site.app.main_pid, signal.SIGHUP)
            _until(lambda: len(now := set(site.app.worker_pids())) == 3 and not now & workers)
        elif word == "restart":
            site.app.ask("restart")
            site.app.wait("ready")
        else:
            site.app.ask("reload")
            site.app.wait("main ")
        site.wait_for("/readyz")

    await reading(site, readers, deed)
    assert (site.app.main_pid == before) == (word == "HUP")
    assert [visitor.failed for visitor in readers] == [[], [], []]


async def test_F02_a_worker_dies(site: Stack, readers: list[Visitor]) -> None:
    def deed() -> None:
        victim = random.choice(site.app.worker_pids())
        os.kill(victim, signal.SIGKILL)
        _until(lambda: victim not in (now := site.app.worker_pids()) and len(now) == 3)

    await reading(site, readers, deed)
    _only_what_was_under_way_failed(readers)


async def test_F04_the_master_dies(site: Stack, readers: list[Visitor]) -> None:
    def deed() -> None:
        os.kill(site.app.main_pid, signal.SIGKILL)
        site.app.wait("ready")
        site.wait_for("/readyz")

    await reading(site, readers, deed)
    _only_what_was_under_way_failed(readers)


async def test_nginx_dies(site: Stack, readers: list[Visitor]) -> None:
    def deed() -> None:
        os.kill(site.nginx.main_pid, signal.SIGKILL)
        site.nginx.wait("started ")
        site.wait_for("/readyz")

    await reading(site, readers, deed)


def test_without_the_app_the_page_says_that_it_comes_back(site: Stack) -> None:
    site.app.ask("stop")
    try:
        for path, media in (("/", "text/html"), ("/api/v1/conversations", "application/problem+json")):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(site.url + path, timeout=10)
            assert refused.value.code == 502
            assert refused.value.headers["content-type"].startswith(media)
            assert refused.value.headers["retry-after"] == "5"
            body = refused.value.read().decode()
            assert "restarted" in body and ("重启" in body or media != "text/html")
    finally:
        site.app.ask("start")
        site.app.wait("ready")
    site.wait_for("/readyz")


def _only_what_was_under_way_failed(readers: list[Visitor]) -> None:
    """A request that a killed process had read is lost; each following one is answered."""
    failed = [each for visitor in readers for each in visitor.failed]
    assert all(" 502 " in each or "Disconnected" in each or " 503 " in each for each in failed), failed


def _until(is_so: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)

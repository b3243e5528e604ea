"""A deploy, and deaths, while people are reading."""

import os
import random
import signal
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.stack.reading import only_what_was_under_way_failed, reading
from tests.stack.stack import Stack
from tests.stack.visitor import Visitor, visitors
from tests.stack.wire import ask

OTHER = "https://other.example"

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(180)]


@pytest.fixture
async def readers(site: Stack, tokens: list[str]) -> AsyncIterator[list[Visitor]]:
    async with visitors(site.url, tokens) as made:
        yield made


@pytest.mark.parametrize("word", ["restart", "reload", "HUP"])
async def test_a_deploy_turns_nobody_away(site: Stack, readers: list[Visitor], word: str) -> None:
    """TERM and a start by systemd, new code by USR2, new settings by HUP."""
    before = site.app.main_pid
    settings = site.root / ".env"
    old = settings.read_text()

    def deed() -> None:
        if word == "HUP":
            workers = set(site.app.worker_pids())
            settings.write_text(f"{old}TEAHOUSE_CORS_ORIGINS={OTHER}\n")
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
    shared = dict(ask(site, "/api/v1/models", Origin=OTHER)[1]).get("access-control-allow-origin")
    assert (shared == OTHER) == (word == "HUP")
    settings.write_text(old)


async def test_F02_a_worker_dies(site: Stack, readers: list[Visitor]) -> None:
    def deed() -> None:
        victim = random.choice(site.app.worker_pids())
        os.kill(victim, signal.SIGKILL)
        _until(lambda: victim not in (now := site.app.worker_pids()) and len(now) == 3)

    await reading(site, readers, deed)
    only_what_was_under_way_failed(readers)


async def test_F04_the_master_dies(site: Stack, readers: list[Visitor]) -> None:
    def deed() -> None:
        os.kill(site.app.main_pid, signal.SIGKILL)
        site.app.wait("ready")
        site.wait_for("/readyz")

    await reading(site, readers, deed)
    only_what_was_under_way_failed(readers)


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


def _until(is_so: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)

"""/metrics of three workers: whichever answers tells of all."""

import asyncio
import os
import re
import signal
import time
import urllib.error
import urllib.request

import pytest

from tests.stack.stack import Stack
from tests.stack.visitor import visitors

pytestmark = pytest.mark.timeout(120)

TOKENS = 60
# Ten seconds: whoever counts what is being written has time to count it six times.
PROMPT = f"Count the leaves, {{}} [[tokens={TOKENS} rate=6 first=50]]"


def told(site: Stack) -> dict[str, float]:
    """By a connection of its own, so that any worker may be the one who answers."""
    request = urllib.request.Request(f"{site.direct}/metrics", headers={"Connection": "close"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        lines = re.findall(r"^([a-z_]+)(?:\{(.*)\})? (\S+)$", answer.read().decode(), re.M)
    return {f"{name}{{{labels}}}" if labels else name: float(value) for name, labels, value in lines}


REQUESTS = 'teahouse_requests_total{route="/api/v1/auth/me",status="200"}'
WRITTEN = 'teahouse_tokens_total{model="ollama/scripted:latest",type="completion"}'
ANSWERED = 'teahouse_jobs_ended_total{kind="answer",status="succeeded"}'
FIRST = 'teahouse_first_token_seconds_count{provider="ollama"}'
NEXT = 'teahouse_token_seconds_count{provider="ollama"}'
RUNNING = 'teahouse_jobs{kind="answer",status="running"}'
COMMITS = "teahouse_event_log_commit_seconds_count"
SUMS = (REQUESTS, WRITTEN, ANSWERED, FIRST, NEXT, COMMITS, "teahouse_cpu_seconds_total")


async def test_the_numbers_of_three_workers_are_one_sum(site: Stack, tokens: list[str]) -> None:
    before = told(site)
    assert before["teahouse_processes"] == 3
    async with visitors(site.url, tokens) as people:
        for _ in range(30):
            await people[0].ask("GET", "/auth/me")
        begun = [await people[n % 3].begin(PROMPT.format(n)) for n in range(9)]
        watching = [asyncio.create_task(people[n % 3].watch(each[0])) for n, each in enumerate(begun) if each]
        await asyncio.sleep(0.6)
        during = [await asyncio.to_thread(told, site) for _ in range(6)]
        assert [now["teahouse_open_streams"] for now in during] == [9] * 6
        assert [now[RUNNING] for now in during] == [9] * 6
        await asyncio.gather(*watching)
        assert [person.failed for person in people] == [[], [], []]
    async with asyncio.timeout(5):
        while (await asyncio.to_thread(told, site))["teahouse_open_streams"]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    for _ in range(6):
        after = told(site)
        added = {name: after[name] - before.get(name, 0) for name in SUMS}
        assert (added[REQUESTS], added[ANSWERED], added[FIRST]) == (30, 9, 9)
        assert (added[WRITTEN], added[NEXT]) == (9 * TOKENS, 9 * (TOKENS - 1))
        assert 9 < added[COMMITS] <= 9 * (TOKENS + 10)  # at most one a token, and those of beginnings, ends and beats
        assert after["teahouse_open_streams"] == 0 and after[RUNNING] == 0


def test_a_worker_that_is_killed_takes_no_count_along(site: Stack) -> None:
    before = told(site)
    victim = site.app.worker_pids()[0]
    os.kill(victim, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while victim in (pids := site.app.worker_pids()) or len(pids) < 3 or told(site)["teahouse_processes"] < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for _ in range(4):
        after = told(site)
        assert after["teahouse_processes"] == 3
        assert {name for name in SUMS if name in before and after[name] < before[name]} == set()


def test_new_code_goes_on_counting(site: Stack) -> None:
    """Two masters share the numbers for a while; a whole restart begins at nothing."""
    before = told(site)
    site.app.ask("reload")
    site.app.wait("main ")
    site.wait_for("/readyz")
    after = told(site)
    assert {name for name in SUMS if name in before and after[name] < before[name]} == set()
    site.app.ask("restart")
    site.app.wait("ready")
    site.wait_for("/readyz")
    assert told(site).get(REQUESTS, 0) == 0


def test_A68_visitors_are_told_no_numbers(site: Stack) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{site.url}/metrics", timeout=10)
    with refused.value as answer:
        assert answer.code == 404

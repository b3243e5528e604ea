"""From process to process: drained, killed, stopped. The text goes on where it stood, and is the undisturbed one."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pysqlite3
import pytest

from app.accounts.principal import Principal
from app.jobs import maintenance
from app.settings import Settings
from tests.databases import plain_connection
from tests.fork_server import Forked
from tests.generations.asking import MakeSettings, Talk, new_talk, words
from tests.jobs.rows import broken_invariants, job_row
from tests.jobs.waiting import until
from tests.model_server import ModelServer
from tests.process import running

ROOT = Path(__file__).parents[2]
PROMPT = "hello [[tokens=100 rate=200]]"
LONG = "hello [[tokens=300 rate=100]]"


@pytest.fixture(autouse=True)
def _scans_are_frequent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "SCAN_SECONDS", 0.1)


@asynccontextmanager
async def child(settings: Settings) -> AsyncIterator[subprocess.Popen[str]]:
    """Another process that runs jobs; the first line that it says is its name."""
    process = Forked(
        ["tests.generations.runner_child", str(settings.data_dir), settings.ollama_url, settings.database_url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert (await asyncio.to_thread(process.stdout.readline)).startswith("process-")
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


async def assert_whole(talk: Talk, sent: Any, prompt: str = PROMPT) -> None:
    answer = await talk.ended(sent)
    assert (answer.content, answer.status) == (words(prompt), "complete")
    assert answer.superseded == []
    job = await talk.job(sent.job.id)
    events = await talk.events(sent.job.id)
    assert [seq for seq, *_ in events] == list(range(1, job.last_event_id + 1))
    assert "restart" not in {event for _, event, _ in events}
    assert "".join(data["text"] for _, event, data in events if event == "delta") == answer.content


async def test_I3_I5_a_drained_process_gives_back_and_another_finishes_the_same_text(
    make_settings: MakeSettings, alice: Principal, server: ModelServer
) -> None:
    settings = make_settings()
    async with running(settings) as first:
        talk = await new_talk(first, alice)
        sent = await talk.send(PROMPT)
        await talk.writing(sent.job.id, 60)
        async with running(settings) as second:
            await first.engine.drain()
            job = await talk.job(sent.job.id)
            assert (job.attempt - (job.status == "running"), job.failures, job.crashes) == (1, 0, 0)
            await assert_whole(talk.elsewhere(second), sent)
    assert (await _row(settings, sent.job.id))["crashes"] == 0
    assert len(server.chats) == 2
    assert server.chats[0].disconnected
    assert words(PROMPT).startswith(server.chats[1].prefix)


async def test_I3_drained_again_and_again_it_ends_in_the_same_text(
    make_settings: MakeSettings, alice: Principal, server: ModelServer
) -> None:
    settings = make_settings()
    async with running(settings) as process:
        talk = await new_talk(process, alice)
        sent = await talk.send(PROMPT)
        await talk.writing(sent.job.id)
    for characters in (40, 90, 150, 220):
        async with running(settings) as process:
            await talk.elsewhere(process).writing(sent.job.id, characters)
            await process.engine.drain()
    async with running(settings) as process:
        await assert_whole(talk.elsewhere(process), sent)
    row = await _row(settings, sent.job.id)
    assert (row["attempt"], row["crashes"], row["failures"]) == (6, 0, 0)


async def test_F03_the_other_process_goes_on_where_a_killed_one_stood(
    make_settings: MakeSettings, alice: Principal, server: ModelServer
) -> None:
    settings = make_settings()
    async with running(make_settings(max_running_per_user=1)) as process:
        talk = await new_talk(process, alice)
        await process.engine.worker.drain()  # this one watches until the other one has begun
        async with child(settings) as runner:
            process.engine._neighbours.look_around()
            sent = await talk.send(LONG)
            await talk.writing(sent.job.id, 60)
            assert (await talk.job(sent.job.id)).lease_owner != process.engine.owner
            runner.kill()
            runner.wait()
        shown = await talk.text(sent.job.id)
        async with running(settings) as next_one:
            began = asyncio.get_running_loop().time()
            await talk.writing(sent.job.id, len(shown) + 1)
            assert asyncio.get_running_loop().time() - began < 2
            await assert_whole(talk.elsewhere(next_one), sent, LONG)
    row = await _row(settings, sent.job.id)
    assert (row["attempt"], row["crashes"]) == (2, 1)
    assert words(LONG).startswith(shown)


async def test_F06_a_process_stopped_past_its_lease_writes_nothing_when_it_wakes(
    make_settings: MakeSettings, alice: Principal, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "LEASE_SECONDS", 0.5)
    settings = make_settings()
    async with running(settings) as process:
        talk = await new_talk(process, alice)
        await process.engine.worker.drain()
        async with child(settings) as runner:
            process.engine._neighbours.look_around()
            sent = await talk.send(LONG)
            await talk.writing(sent.job.id, 60)
            await stop_between_commits(runner, settings, sent.job.id)
            shown = await talk.text(sent.job.id)
            async with running(settings) as next_one:
                await talk.writing(sent.job.id, len(shown) + 1)
                runner.send_signal(signal.SIGCONT)
                await until(lambda: server.chats[0].disconnected, 5)  # it has noticed and hung up
                await assert_whole(talk.elsewhere(next_one), sent, LONG)
            assert runner.poll() is None
            other = await talk.send("still there? [[tokens=5]]")  # and it is alive for other jobs
            assert (await talk.ended(other)).status == "complete"


async def stop_between_commits(process: subprocess.Popen[str], settings: Settings, job_id: str) -> None:
    """Stopped in the middle of one, it would hold the row until the database gives up on its connection."""
    while True:
        process.send_signal(signal.SIGSTOP)
        if await asyncio.to_thread(_is_free, settings, job_id):
            return
        process.send_signal(signal.SIGCONT)


def _is_free(settings: Settings, job_id: str) -> bool:
    """Whether the job's row can be written."""
    connection = plain_connection(settings)
    try:
        connection.execute("SET lock_timeout = 200" if settings.on_postgres else "PRAGMA busy_timeout = 200")
        connection.execute("UPDATE jobs SET beat = beat WHERE id = ?", (job_id,))
    except (psycopg.OperationalError, pysqlite3.OperationalError):
        return False
    finally:
        connection.close()
    return True


async def _row(settings: Settings, job_id: str) -> dict[str, Any]:
    connection = plain_connection(settings, write=False)
    try:
        assert broken_invariants(connection) == []
        return job_row(connection, job_id)
    finally:
        connection.close()

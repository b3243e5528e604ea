"""Workers tell Prometheus their numbers: one of them for all, and another one when it has ended."""

import asyncio
from contextlib import AsyncExitStack

import aiohttp
import pytest

from app.db.session import Database
from app.jobs import exporter
from app.jobs.exporter import exporting
from app.settings import Settings
from tests.ports import free_port


async def ask(port: int, host: str = "127.0.0.1") -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{port}/metrics", headers={"Host": host}) as answer,
    ):
        return answer.status, await answer.text()


async def test_one_worker_answers_until_it_ends_and_then_the_other(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporter, "AGAIN_SECONDS", 0.02)
    port = free_port()
    async with AsyncExitStack() as first, exporting(0, database.lookup):
        await first.enter_async_context(exporting(port, database.lookup))
        await asyncio.sleep(0.05)
        async with exporting(port, database.lookup):
            status, told = await ask(port)
            assert status == 200
            assert "teahouse_requests_total" in told and "teahouse_queue_age_seconds 0.0" in told
            await first.aclose()
            await asyncio.sleep(0.2)
            assert (await ask(port))[0] == 200
    with pytest.raises(aiohttp.ClientConnectionError):
        await ask(port)


async def test_a_page_whose_name_leads_here_is_told_nothing(database: Database) -> None:
    port = free_port()
    async with exporting(port, database.lookup):
        await asyncio.sleep(0.05)
        assert (await ask(port, "localhost:1"))[0] == 200
        assert (await ask(port, "evil.example.org"))[0] == 421


async def test_a_database_that_does_not_answer_hides_no_other_number(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporter, "BACKLOG_SECONDS", 0.01)

    class Silent:
        async def all(self, statement: str, parameters: dict[str, object]) -> list[tuple[object, ...]]:
            await asyncio.sleep(60)
            return []

        first = all

    content, _ = await exporter.exposition(Silent())  # type: ignore[arg-type]
    assert b"teahouse_requests" in content and b"teahouse_queue_age" not in content

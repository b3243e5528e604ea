"""The server is killed under an open page."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.chromium import register, watch
from tests.browser.servers import model_process, teahouse_process
from tests.browser.test_chat import answer_text, ask, expected_of, watch_to_end
from tests.databases import new_database_url
from tests.ports import free_port

pytestmark = [pytest.mark.browser, pytest.mark.both_databases, pytest.mark.usefixtures("kind_of_database")]


async def test_an_open_page_outlives_the_server(browser: Browser, tmp_path: Path) -> None:
    data_dir, port, url, faults = tmp_path / "data", free_port(), new_database_url(), list[str]()
    prompt = "Tell me of tea [[tokens=150 rate=30 text=markdown]]"
    with model_process() as model_url:
        with teahouse_process(data_dir, model_url, port=port, database_url=url) as server:
            page = await (await browser.new_context(base_url=server.url)).new_page()
            watch(page, server.url, faults, ("Failed to load resource", "htmx:error"))
            await register(page)
            await ask(page, prompt)
            await page.wait_for_url("**/c/*")
            await expect(page.locator(".from-assistant .blocks p").first).to_be_visible()
            await asyncio.sleep(1)
            server.process.kill()
            shown = await answer_text(page)
        with teahouse_process(data_dir, model_url, port=port, database_url=url):
            seen = await watch_to_end(page, expected_of(prompt), 40)
            assert seen[1].startswith(shown) and await answer_text(page) == expected_of(prompt)
            await page.close()
    assert faults == []

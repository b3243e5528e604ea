"""What can come between: the view ends up right by itself."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.browser.application.conftest import OpenApplication, answer_text, ask, watch_to_end
from tests.browser.application.wire import EXPECTED_FAULTS, cuttable
from tests.browser.chromium import register, watch
from tests.browser.servers import LiveServer, model_process, teahouse_process
from tests.browser.test_chat import expected_of
from tests.ports import free_port

pytestmark = pytest.mark.browser

LONG = "Tell me of tea [[tokens=150 rate=40 text=markdown]]"
EXPECTED = expected_of(LONG)


async def begin(page: Page) -> None:
    await ask(page, LONG)
    await expect(page.locator(".from-assistant .prose p").first).to_be_visible()


async def test_a_reload_in_mid_answer(alice: Page) -> None:
    await begin(alice)
    for _ in range(3):
        before = await answer_text(alice)
        await alice.reload()
        await expect(alice.locator(".from-assistant .prose p").first).to_be_visible()
        after = await answer_text(alice)
        assert EXPECTED.startswith(after) and len(after) >= len(before)
    await watch_to_end(alice, EXPECTED)


async def test_two_tabs_on_one_conversation(alice: Page) -> None:
    await begin(alice)
    other = await alice.context.new_page()
    await other.goto(alice.url)
    await asyncio.gather(watch_to_end(alice, EXPECTED), watch_to_end(other, EXPECTED))


async def test_the_network_is_off_for_a_while(browser: Browser, live_server: LiveServer) -> None:
    async with cuttable(browser, live_server) as (page, wire):
        await begin(page)
        await wire.cut()
        await asyncio.sleep(0.2)  # what had come is shown
        kept = await answer_text(page)
        await asyncio.sleep(20)
        assert await answer_text(page) == kept, "the wire was cut"
        await wire.mend()
        seen = await watch_to_end(page, EXPECTED)
        assert len(seen) > 1


async def test_what_is_said_of_a_lost_connection_ends_with_it(browser: Browser, live_server: LiveServer) -> None:
    async with cuttable(browser, live_server) as (page, wire):
        await expect(page.locator("#content")).to_be_visible()
        await wire.cut()
        await expect(page.locator(".connection")).to_contain_text("No connection to the server", timeout=15_000)
        await page.fill("#content", "Still mine")
        await page.keyboard.press("Enter")
        await expect(page.locator("#composer-error")).to_contain_text("cannot be reached")
        await expect(page.locator("#content")).to_have_value("Still mine")
        await wire.mend()
        await expect(page.locator(".connection")).to_have_count(0, timeout=15_000)
        await expect(page.locator("#composer-error")).to_have_count(0)
        await expect(page.locator("#content")).to_have_value("Still mine")


async def test_the_server_is_killed_and_started_again(browser: Browser, tmp_path: Path) -> None:
    data_dir, port, faults = tmp_path / "data", free_port(), list[str]()
    with model_process() as model_url:
        with teahouse_process(data_dir, model_url, port=port) as server:
            page = await (await browser.new_context(base_url=server.url)).new_page()
            watch(page, server.url, faults, EXPECTED_FAULTS)
            await register(page)
            await page.goto("/app/")
            await page.wait_for_selector("#content")
            await begin(page)
            await asyncio.sleep(1)
            server.process.kill()
            shown = await answer_text(page)
        with teahouse_process(data_dir, model_url, port=port):
            seen = await watch_to_end(page, EXPECTED, 40)
            assert seen[1].startswith(shown)
            await page.close()
    assert faults == []


async def test_the_access_token_expires_in_mid_answer(browser: Browser, live_server: LiveServer) -> None:
    async with cuttable(browser, live_server) as (page, wire):
        await begin(page)
        refreshes: list[str] = []
        page.on("request", lambda request: refreshes.append(request.url) if request.url.endswith("/refresh") else None)
        turned_away = 0

        async def expire(route: Route) -> None:
            nonlocal turned_away
            if refreshes:
                await route.continue_()
                return
            turned_away += 1
            body = '{"type": "urn:teahouse:invalid_token", "detail": "Expired.", "request_id": "r"}'
            await route.fulfill(status=401, content_type="application/problem+json", body=body)

        await page.route("**/jobs/*/events*", expire)
        await wire.cut()
        await wire.mend()
        await watch_to_end(page, EXPECTED)
        assert (turned_away, len(refreshes)) == (1, 1)


async def test_streams_that_are_buffered_whole_give_way_to_the_long_poll(open_application: OpenApplication) -> None:
    page = await open_application(allowed=("ERR_FAILED", "ERR_ABORTED"))
    polls: list[str] = []
    page.on("request", lambda request: polls.append(request.url) if "wait=20" in request.url else None)

    async def swallow(route: Route) -> None:
        await asyncio.sleep(60)
        await route.abort()

    await page.route("**/jobs/*/events*", swallow)
    await ask(page, LONG)
    await watch_to_end(page, EXPECTED)
    assert polls

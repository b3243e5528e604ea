"""A connection that breaks, a page that slept, a session that ends: each recovers by itself."""

import asyncio

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.chromium import OpenPage, register
from tests.browser.test_chat import answer_text, ask, expected_of, watch_to_end

pytestmark = pytest.mark.browser

SLOW = "Tell me of tea [[tokens=60 rate=20 text=markdown]]"
AWAY = ("ERR_INTERNET_DISCONNECTED", "ERR_FAILED", "htmx:error", "status of 503", "status of 401")


async def begin(open_page: OpenPage, prompt: str = SLOW) -> Page:
    page = await open_page(allowed=AWAY)
    await register(page)
    await ask(page, prompt)
    await page.wait_for_url("**/c/*")
    await expect(page.locator(".prose.open > p").first).to_be_visible()
    return page


async def test_offline_is_said_and_over_at_once(open_page: OpenPage) -> None:
    page = await begin(open_page)
    await page.fill("#content", "typed meanwhile")
    await page.context.set_offline(True)
    await expect(page.locator("#connection")).to_be_visible()
    await asyncio.sleep(1.5)
    await page.context.set_offline(False)
    await expect(page.locator("#connection")).to_be_hidden()
    await watch_to_end(page, expected_of(SLOW), 10)
    assert await page.input_value("#content") == "typed meanwhile"


async def test_a_server_that_starts_anew_is_only_a_pause(open_page: OpenPage) -> None:
    page = await begin(open_page)
    refused = 0

    async def starting(route: Route) -> None:
        nonlocal refused
        refused += 1
        await (route.fulfill(status=503, body="starting") if refused < 4 else route.continue_())

    await page.route("**/jobs/**", starting)
    await watch_to_end(page, expected_of(SLOW), 20)
    assert refused > 3 and await answer_text(page) == expected_of(SLOW)
    await expect(page.locator(".toast")).to_have_count(0)


async def test_sending_without_a_connection_loses_nothing(open_page: OpenPage) -> None:
    page = await begin(open_page, "Short [[tokens=2 rate=2]]")
    await expect(page.locator(".poller")).to_have_count(0)
    await page.context.set_offline(True)
    await ask(page, "Later [[tokens=2]]")
    await expect(page.locator(".toast")).to_contain_text("cannot be reached")
    assert await page.input_value("#content") == "Later [[tokens=2]]"
    await page.context.set_offline(False)
    await page.click("button.send")
    await expect(page.locator(".said")).to_have_count(2)
    await expect(page.locator(".toast")).to_have_count(0)


async def test_a_page_that_slept_asks_at_once(open_page: OpenPage) -> None:
    """Its request was lost on the way: nothing ever comes back for it."""
    page = await begin(open_page)
    swallowed = asyncio.Event()

    async def swallow(route: Route) -> None:
        swallowed.set()

    await page.route("**/jobs/**", swallow)
    await swallowed.wait()
    await page.unroute("**/jobs/**")
    await page.evaluate(
        """() => { const now = Date.now; let hidden = true;
        Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
        hidden = false; Date.now = () => now() + 60000;
        document.dispatchEvent(new Event("visibilitychange")); }"""
    )
    await watch_to_end(page, expected_of(SLOW), 10)


async def test_a_session_that_ends_leads_to_sign_in_and_back(open_page: OpenPage) -> None:
    page = await begin(open_page, "Long [[tokens=200 rate=20]]")
    there = page.url
    await page.fill("#content", "kept")
    await page.context.clear_cookies(name="teahouse_session")
    await page.wait_for_url("**/login?next=/c/*")
    name = await page.evaluate("Object.keys(localStorage).length")
    assert name == 1
    assert there.rpartition("/c/")[2] in page.url


async def test_back_shows_what_has_come_meanwhile(open_page: OpenPage) -> None:
    page = await begin(open_page)
    there = page.url
    await page.goto("/settings")
    await asyncio.sleep(3.5)
    await page.go_back()
    assert page.url == there
    await watch_to_end(page, expected_of(SLOW), 10)
    assert await answer_text(page) == expected_of(SLOW)

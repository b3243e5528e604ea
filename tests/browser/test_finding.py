"""The search within a conversation, and printing it: also what the page has not loaded."""

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.chromium import OpenPage, register
from tests.browser.servers import LiveServer
from tests.browser.test_islands import told

pytestmark = pytest.mark.browser

ANSWERS = [
    "The first **needle** lies here; 绿茶在这里。",
    *(f"Answer {number}. Straw." for number in range(80)),
    "`a needle` again.",
]
HIGHLIGHTED = "[...CSS.highlights.get('found-here') ?? []].map(String).join()"


@pytest_asyncio.fixture(loop_scope="session", params=["", "/app"], ids=["pages", "application"])
async def long_one(request: pytest.FixtureRequest, open_page: OpenPage, live_server: LiveServer) -> Page:
    page = await open_page()
    path = await told(live_server, await register(page), *ANSWERS)
    await page.goto(request.param + path)
    await expect(page.locator(".message").last).to_contain_text("again.")
    return page


async def test_all_of_a_conversation_is_searched(long_one: Page) -> None:
    page = long_one
    await page.keyboard.press("Control+f")
    field = page.locator(".finder input")
    await expect(field).to_be_focused()
    await field.fill("a needle")
    await expect(page.locator(".finder output")).to_have_text("1/1")
    await field.fill("NEEDLE")
    await expect(page.locator(".finder output")).to_have_text("2/2")
    await field.press("Enter")
    await expect(page.locator(".finder output")).to_have_text("1/2")
    assert await page.evaluate(HIGHLIGHTED) == "needle"
    await expect(page.locator("strong", has_text="needle")).to_be_in_viewport()
    await field.press("Shift+Enter")
    await expect(page.locator("code", has_text="a needle")).to_be_in_viewport()
    await field.fill("绿茶在")
    await expect(page.locator(".finder output")).to_have_text("1/1")
    await field.fill("first needle lies")
    await expect(page.locator(".finder output")).to_have_text("1/1")
    await field.fill("haystack")
    await expect(page.locator(".finder output")).to_have_text("Not found")
    await field.press("Escape")
    await expect(page.locator(".finder")).to_be_hidden()
    assert await page.evaluate("CSS.highlights.size") == 0


async def test_a_short_conversation_is_the_browsers_to_search(open_page: OpenPage, live_server: LiveServer) -> None:
    page = await open_page()
    path = await told(live_server, await register(page), "All is here.")
    for face in ("", "/app"):
        await page.goto(face + path)
        await expect(page.locator(".message").last).to_contain_text("All is here.")
        await page.evaluate("addEventListener('keydown', (event) => (window.taken = event.defaultPrevented))")
        await page.keyboard.press("Control+f")
        assert await page.evaluate("window.taken") is False
        await expect(page.locator(".finder")).to_be_hidden()


async def test_all_of_a_conversation_is_printed(long_one: Page) -> None:
    page = long_one
    await page.evaluate("() => { print = () => (window.printed = document.querySelectorAll('.message').length) }")
    await page.keyboard.press("Control+p")
    await page.wait_for_function("() => window.printed")
    assert "/app/" in page.url or await page.evaluate("window.printed") == 2 * len(ANSWERS)
    assert await page.locator(".earlier :is(a, button)").count() == 0


async def test_without_scripts_a_page_has_all_messages(open_page: OpenPage, live_server: LiveServer) -> None:
    page = await open_page(scripts=False)
    path = await told(live_server, await register(page), *ANSWERS)
    await page.goto(path)
    await page.click(".earlier noscript a")
    await expect(page.locator(".message")).to_have_count(2 * len(ANSWERS))

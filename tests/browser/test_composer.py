"""Keys in the composer, following the end of the text, and a server that is away for a while."""

import asyncio

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import OpenPage, register
from tests.browser.test_chat import answer_text, ask, expected_of, watch_to_end

pytestmark = pytest.mark.browser

LONG = "Tell me much [[tokens=900 rate=300 text=markdown]]"
TOP_OF_FIRST = "document.querySelector('.message').getBoundingClientRect().top"
HEIGHT = "document.querySelector('.thread').offsetHeight"
SCROLLED = "document.querySelector('.scroller').scrollTop"


async def test_enter_sends_and_shift_enter_breaks_the_line(alice: Page) -> None:
    await alice.click("#content")
    await alice.keyboard.type("one")
    await alice.keyboard.press("Shift+Enter")
    await alice.keyboard.type("two [[tokens=2]]")
    assert await alice.input_value("#content") == "one\ntwo [[tokens=2]]"
    await alice.keyboard.press("Enter")
    await alice.wait_for_url("**/c/*")
    await expect(alice.locator(".said")).to_have_text("one\ntwo [[tokens=2]]", use_inner_text=True)


async def test_enter_that_chooses_a_word_does_not_send(alice: Page) -> None:
    await alice.fill("#content", "ni hao")
    await alice.locator("#content").evaluate(
        """area => area.dispatchEvent(
            new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, isComposing: true }))"""
    )
    await alice.wait_for_timeout(200)
    assert alice.url.endswith("/") and await alice.input_value("#content") == "ni hao"


async def test_a_word_that_is_being_composed_is_not_sent(alice: Page) -> None:
    """By the browser's own input method: the candidate's Enter comes as a key while the word is open."""
    session = await alice.context.new_cdp_session(alice)
    await alice.click("#content")
    await session.send("Input.imeSetComposition", {"text": "ni hao", "selectionStart": 6, "selectionEnd": 6})
    assert await alice.input_value("#content") == "ni hao"
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    await session.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    await session.send("Input.insertText", {"text": "你好"})
    await session.send("Input.dispatchKeyEvent", {"type": "keyUp", **enter})
    await alice.wait_for_timeout(200)
    assert alice.url.endswith("/") and await alice.input_value("#content") == "你好"
    await alice.keyboard.press("Enter")
    await alice.wait_for_url("**/c/*")


async def test_the_composer_is_ready_again_after_sending(alice: Page) -> None:
    await ask(alice, "First [[tokens=2]]")
    await alice.wait_for_url("**/c/*")
    await alice.fill("#content", "Second [[tokens=2]]")
    await alice.keyboard.press("Enter")
    await expect(alice.locator(".said")).to_have_count(2)
    await expect(alice.locator("#content")).to_be_focused()
    assert await alice.input_value("#content") == ""
    assert await alice.locator("#content").evaluate("area => area.readOnly") is False


async def test_the_view_follows_only_who_is_at_the_end(alice: Page) -> None:
    await ask(alice, LONG)
    await alice.wait_for_url("**/c/*")
    while await alice.evaluate(HEIGHT) < 2000:
        await alice.wait_for_timeout(50)
    assert await alice.evaluate(SCROLLED) == 0
    await expect(alice.locator("[data-newer]")).to_be_hidden()
    await alice.mouse.move(600, 300)
    await alice.mouse.wheel(0, -600)
    await expect(alice.locator("[data-newer]")).to_contain_text("New text")
    await alice.wait_for_timeout(300)
    before, height = (
        await alice.evaluate(TOP_OF_FIRST),
        await alice.evaluate("document.querySelector('.thread').offsetHeight"),
    )
    await alice.wait_for_timeout(800)
    assert await alice.evaluate(HEIGHT) > height, "it goes on"
    assert abs(await alice.evaluate(TOP_OF_FIRST) - before) < 2, "and what is read stays where it is"
    await alice.click("[data-newer]")
    assert await alice.evaluate(SCROLLED) == 0
    await expect(alice.locator("[data-newer]")).to_be_hidden()


async def test_a_server_that_is_away_for_a_while_costs_nothing(open_page: OpenPage) -> None:
    page = await open_page(allowed=("ERR_FAILED", "htmx:error"))
    await register(page)
    prompt = "Tell me of tea [[tokens=60 rate=30 text=markdown]]"
    await ask(page, prompt)
    await page.wait_for_url("**/c/*")
    await expect(page.locator(".from-assistant .blocks p").first).to_be_visible()
    await page.route("**/jobs/**", lambda route: route.abort())
    await expect(page.locator("#connection")).to_be_visible()
    kept = await answer_text(page)
    await asyncio.sleep(1.5)
    assert await answer_text(page) == kept != ""
    await page.unroute("**/jobs/**")
    await watch_to_end(page, expected_of(prompt))
    assert await answer_text(page) == expected_of(prompt)
    await expect(page.locator("#connection")).to_be_hidden()


async def test_the_list_is_a_drawer_on_a_narrow_screen(open_page: OpenPage) -> None:
    page = await open_page(viewport={"width": 390, "height": 800})
    await register(page)
    await expect(page.locator("#sidebar")).to_be_hidden()
    await page.click(".drawer")
    await expect(page.locator("#sidebar")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#sidebar")).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390

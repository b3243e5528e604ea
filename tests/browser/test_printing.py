"""A conversation on paper."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import OpenPage, register
from tests.browser.servers import LiveServer
from tests.browser.test_chat import ask
from tests.browser.test_islands import told

pytestmark = pytest.mark.browser

# What does not fit into itself, and is cut there.
SCROLLED = """() => [...document.querySelectorAll("main, .scroller, .blocks, pre")]
  .filter(each => each.scrollHeight > each.clientHeight + 1)
  .filter(each => getComputedStyle(each).overflowY !== "visible").map(each => each.className || each.localName)"""
AT_PRINTING = """() => addEventListener("beforeprint", () => queueMicrotask(() => {
  window.printed = [...document.querySelectorAll(".message")].filter(each => each.textContent.length > 3).length;
}))"""
CARET = "paragraph => getComputedStyle(paragraph, '::after').content"
ANSWER = "How is tea made? [[tokens=400 rate=2000 text=markdown]]"


async def test_the_whole_conversation_is_printed_and_nothing_to_press(alice: Page) -> None:
    await ask(alice, ANSWER)
    await expect(alice.locator(".from-assistant .tools")).to_be_attached()
    await alice.emulate_media(media="print", color_scheme="dark")
    for name in (".sidebar", ".dock", ".tools", ".skip", ".bar button", ".code-header button"):
        assert await alice.locator(name).evaluate_all("all => all.every(one => !one.checkVisibility())"), name
    await expect(alice.locator("#heading h1")).to_be_visible()
    # Nothing scrolls inside itself: what is not in the document's own height would not be on paper.
    hidden = await alice.evaluate(SCROLLED)
    assert hidden == []
    assert await alice.evaluate("document.documentElement.scrollHeight") > 900
    assert await alice.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert pages_of(await alice.pdf(format="A4")) >= 2


def pages_of(pdf: bytes) -> int:
    return pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ")


@pytest.mark.parametrize("face", ["/", "/app/"])
async def test_no_caret_is_printed(alice: Page, face: str) -> None:
    await alice.goto(face)
    await alice.fill("#content", "Tell me of tea [[tokens=200 rate=20 first=100]]")
    await alice.keyboard.press("Enter")
    last = alice.locator(".prose.open > p").last
    await expect(last).to_be_visible()
    assert await last.evaluate(CARET) == '""'
    await alice.emulate_media(media="print")
    assert await last.evaluate(CARET) == "none"


@pytest.mark.parametrize("face", ["", "/app"])
async def test_a_long_conversation_is_as_many_sheets_on_both_faces(
    open_page: OpenPage, live_server: LiveServer, face: str
) -> None:
    """Also what is far from the reader, which the application has let go."""
    page = await open_page()
    path = await told(live_server, await register(page), *(f"Answer {number}. " + "Tea " * 400 for number in range(12)))
    await page.goto(face + path)
    await expect(page.locator(".message").last).to_contain_text("Answer 11.")
    await page.evaluate(AT_PRINTING)
    assert 6 <= pages_of(await page.pdf(format="A4")) <= 8
    assert await page.evaluate("window.printed") == 24
    await page.emulate_media(media="print", color_scheme="dark")
    for name in (".sidebar", ".dock", ".tools", ".skip", ".bar button"):
        assert await page.locator(name).evaluate_all("all => all.every(one => !one.checkVisibility())"), name
    assert await page.evaluate(SCROLLED) == []
    assert await page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"

"""A conversation on paper."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.test_chat import ask

pytestmark = pytest.mark.browser

# What does not fit into itself, and is cut there.
SCROLLED = """() => [...document.querySelectorAll("main, .scroller, .blocks, pre")]
  .filter(each => each.scrollHeight > each.clientHeight + 1)
  .filter(each => getComputedStyle(each).overflowY !== "visible").map(each => each.className || each.localName)"""
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
    pdf = await alice.pdf(format="A4")
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") >= 2

"""What is selected or opened in an answer stays so while it is written and when it has ended."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.application.conftest import answer_text, ask, watch_to_end
from tests.browser.test_answer import MARKDOWN, PARAGRAPH, SELECT, SELECTED
from tests.browser.test_chat import expected_of

pytestmark = pytest.mark.browser


async def test_a_selection_in_the_block_that_grows_outlives_the_end(alice: Page) -> None:
    await ask(alice, PARAGRAPH)
    await expect(alice.locator(".prose.open > p").first).to_be_visible()
    while len(await answer_text(alice)) < 80:
        await alice.wait_for_timeout(50)
    chosen = await alice.evaluate(SELECT, [".prose.open > p", 5, 40])
    assert len(chosen) == 35
    seen = await watch_to_end(alice, expected_of(PARAGRAPH))
    assert len(seen) > 8 and await alice.evaluate(SELECTED) == chosen


async def test_a_selection_in_a_block_that_closes_outlives_the_end(alice: Page) -> None:
    await ask(alice, MARKDOWN)
    await expect(alice.locator(".prose.open > p").nth(1)).to_be_visible()
    chosen = await alice.evaluate(SELECT, [".prose.open > p", 0, 3])
    await watch_to_end(alice, expected_of(MARKDOWN))
    assert len(chosen) == 3 and await alice.evaluate(SELECTED) == chosen
    await expect(alice.locator(".code-header .copy").first).to_be_attached()
    assert await alice.locator(".code-header:not(:has(.copy))").count() == 0


@pytest.mark.parametrize("face", ["/", "/app/"], ids=["pages", "application"])
async def test_a_selection_in_thinking_stays_while_it_grows(alice: Page, face: str) -> None:
    await alice.goto(face)
    await alice.fill("#content", "Think first [[think=400 tokens=5 rate=40]]")
    await alice.keyboard.press("Enter")
    await alice.click(".thinking summary")
    await expect(alice.locator(".thought")).to_contain_text(re.compile("[\\s\\S]{80}"))
    chosen = await alice.evaluate(SELECT, [".thought", 0, 3])
    length = len(await alice.inner_text(".thought"))
    await expect(alice.locator(".thought")).to_contain_text(re.compile(f"[\\s\\S]{{{length + 100}}}"))
    assert len(chosen) == 3 and await alice.evaluate(SELECTED) == chosen


async def test_thinking_that_was_opened_stays_open(alice: Page) -> None:
    prompt = "Think first [[think=60 tokens=60 rate=40]]"
    await ask(alice, prompt)
    await alice.click(".thinking summary")
    await watch_to_end(alice, expected_of(prompt))
    await expect(alice.locator(".thought")).to_be_visible()

"""Ask, watch the answer grow, leave and come back, stop, try again: with scripts and without."""

import asyncio
import re

import pytest
from playwright.async_api import Page, expect

from tests.browser import markdown as markdown
from tests.browser.chromium import OpenPage, register
from tests.browser.growth import watched
from tests.model_server import answer_for

pytestmark = pytest.mark.browser

LONG = "How is tea made? [[tokens=120 rate=25 first=100 text=markdown]]"
PLAIN = "Tell me of tea [[tokens=60 rate=20 first=100]]"


def letters(text: str) -> str:
    """What can be compared between Markdown, HTML and a growing page: no marks, no spaces."""
    return re.sub(r"[^A-Za-z0-9()']", "", text)


async def ask(page: Page, text: str) -> None:
    await page.fill("#content", text)
    await page.click("button.send")


async def answer_text(page: Page) -> str:
    """The last answer's text as it stands; empty while there is none."""
    found = page.locator(".from-assistant .prose")
    return letters(without_headers(await found.last.inner_text())) if await found.count() else ""


def without_headers(text: str) -> str:
    """A code block's header has its language and, once the block is closed, a button."""
    return re.sub(r"^python\s*$(\s*^Copy\s*$)?|^python\s*Copy\s*$", "", text, flags=re.MULTILINE)


IS_OVER = "() => document.querySelector('.from-assistant .tools') && !document.querySelector('.poller')"


async def watch_to_end(page: Page, expected: str, seconds: float = 20) -> list[str]:
    return await watched(page, expected, IS_OVER, letters, seconds)


def expected_of(prompt: str) -> str:
    text = "".join(answer_for(prompt))
    return letters(text.replace("```python", ""))


async def test_an_answer_grows_before_it_is_complete(alice: Page) -> None:
    await ask(alice, LONG)
    await alice.wait_for_url("**/c/*")
    seen = await watch_to_end(alice, expected_of(LONG))
    assert len(seen) > 5
    assert await answer_text(alice) == expected_of(LONG)


async def test_the_page_after_reload_is_the_page_that_grew(alice: Page) -> None:
    await ask(alice, LONG)
    await alice.wait_for_url("**/c/*")
    await watch_to_end(alice, expected_of(LONG))
    grown = await alice.locator("#messages").evaluate(COMPARABLE)
    await alice.reload()
    assert await alice.locator("#messages").evaluate(COMPARABLE) == grown


# Without what htmx leaves behind and what is new in every form.
COMPARABLE = """root => {
  const copy = root.cloneNode(true);
  for (const input of copy.querySelectorAll("input")) input.remove();
  for (const element of copy.querySelectorAll("*")) {
    element.removeAttribute("data-htmx-powered");
    if (!element.className) element.removeAttribute("class");
  }
  return copy.innerHTML.replace(/\\s+/g, " ").replace(/> </g, "><");
}"""


async def test_reloading_in_mid_answer_loses_and_repeats_nothing(alice: Page) -> None:
    await ask(alice, LONG)
    await alice.wait_for_url("**/c/*")
    await expect(alice.locator(".from-assistant .blocks p").first).to_be_visible()
    for _ in range(3):
        await asyncio.sleep(0.4)
        before = await answer_text(alice)
        await alice.reload()
        after = await answer_text(alice)
        assert len(after) >= len(before) > 0 and expected_of(LONG).startswith(after)
    await watch_to_end(alice, expected_of(LONG))
    assert await answer_text(alice) == expected_of(LONG)


async def test_a_second_message_waits_for_the_first_answer(alice: Page) -> None:
    await ask(alice, PLAIN)
    await alice.wait_for_url("**/c/*")
    second = "And now? [[tokens=5]]"
    await ask(alice, second)
    await expect(alice.locator(".status").last).to_have_text("Waits for the answer above")
    await expect(alice.locator(".poller")).to_have_count(0, timeout=20_000)
    texts = [letters(text) for text in await alice.locator(".from-assistant .prose").all_inner_texts()]
    assert texts == [expected_of(PLAIN), expected_of(second)]


async def test_stopping_keeps_the_text_and_going_on_completes_it(alice: Page) -> None:
    await ask(alice, PLAIN)
    await alice.wait_for_url("**/c/*")
    await expect(alice.locator(".open > p")).to_be_visible()
    await asyncio.sleep(0.5)
    await alice.click("button.stop")
    await expect(alice.locator(".cut")).to_contain_text("Stopped.")
    kept = await answer_text(alice)
    assert kept and expected_of(PLAIN).startswith(kept) and kept != expected_of(PLAIN)
    await expect(alice.locator("button.send")).to_be_visible()
    await alice.reload()
    assert await answer_text(alice) == kept
    await alice.click("text=Go on")
    await expect(alice.locator(".cut")).to_have_count(0)
    await watch_to_end(alice, expected_of(PLAIN))
    assert await answer_text(alice) == expected_of(PLAIN)


async def test_a_failed_answer_can_be_tried_again(alice: Page) -> None:
    prompt = "Fail once, please [[fault=not_found times=1 tokens=8]]"
    await ask(alice, prompt)
    await alice.wait_for_url("**/c/*")
    await expect(alice.locator(".failure")).to_be_visible()
    await expect(alice.locator(".failure .why p").first).to_contain_text("This model is not there any more.")
    await alice.click("text=Try again")
    await expect(alice.locator(".failure")).to_have_count(0)
    await watch_to_end(alice, expected_of(prompt))
    assert await answer_text(alice) == expected_of(prompt)


async def test_another_answer_stands_beside_the_first(alice: Page) -> None:
    prompt = "Twice [[tokens=6]]"
    await ask(alice, prompt)
    await alice.wait_for_url("**/c/*")
    await watch_to_end(alice, expected_of(prompt))
    await alice.locator(".from-assistant").hover()
    await alice.click("[aria-label='Another answer']")
    await expect(alice.locator(".branches .number")).to_have_text("2 of 2")
    await expect(alice.locator(".poller")).to_have_count(0)
    await alice.click("[aria-label='Previous version']")
    await expect(alice.locator(".branches .number")).to_have_text("1 of 2")


async def test_what_was_refused_is_still_there(open_page: OpenPage) -> None:
    alice = await open_page(allowed=("status of 422",))
    await register(alice)
    await ask(alice, "Begin [[tokens=3]]")
    await alice.wait_for_url("**/c/*")
    await alice.fill("#content", "   \n")
    await alice.locator("#composer").evaluate("form => form.requestSubmit()")
    await expect(alice.locator("#composer-error")).to_have_text("A message needs some text.")
    assert await alice.input_value("#content") == "   \n"


async def test_the_answer_is_followed_without_scripts(open_page: OpenPage) -> None:
    page = await open_page(scripts=False)
    await register(page)
    prompt = "Tell me of tea slowly [[tokens=100 rate=20 first=100 text=markdown]]"
    await ask(page, prompt)
    await page.wait_for_url("**/c/*")
    seen = set()
    async with asyncio.timeout(30):
        while not await page.locator(".from-assistant .tools").count():  # half a page has no answer in it yet
            text = await answer_text(page)
            assert expected_of(prompt).startswith(text)
            seen.add(text)
            await page.wait_for_timeout(500)
    assert len(seen) > 2, "the page renews itself"
    assert await answer_text(page) == expected_of(prompt)


async def test_stop_and_retry_work_without_scripts(open_page: OpenPage) -> None:
    page = await open_page(scripts=False)
    await register(page)
    await ask(page, PLAIN)
    await page.wait_for_url("**/c/*")
    await page.wait_for_timeout(1500)
    await page.click("button.stop")
    await expect(page.locator(".cut")).to_contain_text("Stopped.", timeout=10_000)
    kept = await answer_text(page)
    await page.click("text=Go on")
    await expect(page.locator(".stop-form")).to_have_count(1)
    await expect(page.locator(".stop-form")).to_have_count(0, timeout=20_000)
    assert kept and expected_of(PLAIN).startswith(kept)
    assert await answer_text(page) == expected_of(PLAIN)


@pytest.mark.parametrize("scripts", [True, False])
async def test_who_does_not_want_to_wait_tries_now(open_page: OpenPage, scripts: bool) -> None:
    page = await open_page(scripts=scripts)
    await register(page)
    prompt = f"Busy with scripts {scripts}? [[tokens=5 fault=status:429:200 times=1]]"
    await ask(page, prompt)
    await expect(page.locator(".trouble")).to_contain_text("The model server is busy.", timeout=10_000)
    await page.click("text=Try now")
    await expect(page.locator(".from-assistant .tools")).to_have_count(1, timeout=10_000)
    assert await answer_text(page) == expected_of(prompt)
    await expect(page.locator(".trouble")).to_have_count(0)

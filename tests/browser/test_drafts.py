"""What was typed and not sent is there again."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import OpenPage, register
from tests.browser.test_chat import ask

pytestmark = pytest.mark.browser

DRAFTS = "Object.keys(localStorage).filter((key) => key.startsWith('teahouse-draft/')).length"


async def conversation(page: Page, text: str = "Begin [[tokens=2]]") -> str:
    await page.goto("/")
    await ask(page, text)
    await page.wait_for_url("**/c/*")
    await expect(page.locator(".from-assistant .tools")).to_be_visible()
    return page.url


async def test_each_conversation_keeps_its_own(alice: Page) -> None:
    await alice.fill("#content", "for a new one")
    first = await conversation(alice)
    assert await alice.input_value("#content") == "" and await alice.evaluate(DRAFTS) == 0
    await alice.fill("#content", "for the first")
    second = await conversation(alice, "Another [[tokens=2]]")
    await alice.fill("#content", "for the second")
    await alice.goto(first)
    assert await alice.input_value("#content") == "for the first"
    await alice.goto(second)
    assert await alice.input_value("#content") == "for the second"
    await alice.reload()
    assert await alice.input_value("#content") == "for the second"


async def test_what_is_sent_is_no_draft_any_more(alice: Page) -> None:
    await conversation(alice)
    await alice.fill("#content", "Now send [[tokens=2]]")
    await alice.wait_for_timeout(600)
    assert await alice.evaluate(DRAFTS) == 1
    await alice.click("button.send")
    await expect(alice.locator(".said")).to_have_count(2)
    assert await alice.evaluate(DRAFTS) == 0
    await alice.reload()
    assert await alice.input_value("#content") == ""


async def test_a_refusal_keeps_what_the_server_put_there(open_page: OpenPage) -> None:
    page = await open_page(allowed=("status of 422",))
    await register(page)
    await page.locator("#content").evaluate("area => area.removeAttribute('data-most')")
    await page.fill("#content", "x" * 100_001)
    await page.click("button.send")
    await expect(page.locator("#composer-error")).to_contain_text("100,001")
    assert len(await page.input_value("#content")) == 100_001


async def test_a_browser_that_forbids_storage_misses_nothing_else(open_page: OpenPage) -> None:
    page = await open_page()
    await page.add_init_script(
        """for (const name of ["localStorage", "sessionStorage"]) {
            Object.defineProperty(window, name, { get() { throw new DOMException("no", "SecurityError"); } });
        }"""
    )
    await register(page)
    await conversation(page)
    await ask(page, "Again [[tokens=2]]")
    await expect(page.locator(".said")).to_have_count(2)


async def test_signing_out_takes_the_drafts_along(alice: Page) -> None:
    await alice.fill("#content", "a secret")
    await alice.wait_for_timeout(600)
    assert await alice.evaluate(DRAFTS) == 1
    await alice.locator("form[action='/logout']").evaluate("form => form.requestSubmit()")
    await alice.wait_for_url("**/login*")
    assert await alice.evaluate(DRAFTS) == 0


async def test_a_draft_outlives_another_version_and_another_answer(alice: Page) -> None:
    await conversation(alice)
    await alice.fill("#content", "not yet")
    await alice.locator(".from-assistant").hover()
    await alice.click("[aria-label='Another answer']")
    await expect(alice.locator(".branches .number")).to_have_text("2 of 2")
    await expect(alice.locator(".poller")).to_have_count(0)
    await alice.click("[aria-label='Previous version']")
    await expect(alice.locator(".branches .number")).to_have_text("1 of 2")
    assert await alice.input_value("#content") == "not yet"


async def test_what_is_written_survives_the_end_of_a_sign_in(open_page: OpenPage) -> None:
    """The form says so and keeps the words; they are there again after signing in."""
    page = await open_page(allowed=("401",))
    name = await register(page)
    await ask(page, "Begin [[tokens=3]]")
    await expect(page.locator(".from-assistant .tools")).to_be_attached()
    # Who still asks for a title is sent to the sign-in at once.
    await expect(page.locator("#title-news[hx-get]")).to_have_count(0)
    await page.fill("#content", "An hour of work")
    await page.context.clear_cookies(name="teahouse_session")
    await page.keyboard.press("Enter")
    await expect(page.locator(".toast")).to_contain_text("Your sign-in has ended")
    assert await page.input_value("#content") == "An hour of work"
    path = page.url
    await page.click(".toast a")
    await page.fill("[name=username]", name)
    await page.fill("[name=password]", "a long password")
    await page.keyboard.press("Enter")
    await page.wait_for_url(path)
    assert await page.input_value("#content") == "An hour of work"


async def test_and_without_scripts_the_words_are_shown(open_page: OpenPage) -> None:
    page = await open_page(scripts=False, allowed=("401",))
    await register(page)
    await page.fill("#content", "An hour of work")
    await page.context.clear_cookies(name="teahouse_session")
    await page.click("button.send")
    await expect(page.locator("main")).to_contain_text("Your sign-in has ended")
    await expect(page.locator("textarea")).to_have_count(1)
    assert await page.input_value("textarea") == "An hour of work"
    assert (
        "next" in str(await page.get_attribute("main a.primary", "href"))
        or await page.locator("main a.primary").count()
    )

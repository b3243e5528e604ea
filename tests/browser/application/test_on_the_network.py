"""Plain http under a name on the network: browsers withhold there what they have at home and with https."""

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.application.conftest import ask, watch_to_end
from tests.browser.chromium import ON_THE_NETWORK, OpenPage, register_by_hand
from tests.browser.test_chat import expected_of
from tests.model_server import answer_for

pytestmark = pytest.mark.browser

PROMPT = "Write *marks* [[tokens=120 text=markdown]]"


@pytest_asyncio.fixture(loop_scope="session")
async def answered(open_page: OpenPage) -> Page:
    """Asked and answered in the application."""
    page = await open_page(host=ON_THE_NETWORK, allowed=("Cross-Origin-Opener-Policy",))
    await register_by_hand(page)
    await page.goto("/app/")
    assert not await page.evaluate("window.isSecureContext")
    await ask(page, PROMPT)
    await watch_to_end(page, expected_of(PROMPT))
    return page


async def pasted(page: Page) -> str:
    await page.fill("#content", "")
    await page.focus("#content")
    await page.keyboard.press("Control+v")
    return await page.input_value("#content")


async def test_the_application_copies_an_answer_its_address_and_its_code(answered: Page) -> None:
    page = answered
    await page.click(".from-assistant .tools [aria-label='Copy']")
    await expect(page.locator(".notice")).to_contain_text("Copied")
    assert await pasted(page) == "".join(answer_for(PROMPT))
    await page.click(".from-assistant .tools [aria-label='More']")
    await page.click("text=Copy a link to this message")
    address = await page.locator(".from-assistant").get_attribute("id")
    assert await pasted(page) == f"{page.url}#{address}"
    code = page.locator(".code").first
    await code.get_by_text("Copy", exact=True).click()
    assert await pasted(page) == await code.locator("pre").text_content()


async def test_the_application_copies_a_key_that_is_shown_once(answered: Page) -> None:
    page = answered
    await page.goto("/app/settings/keys")
    await page.fill("#name, [name=name]", "laptop")
    await page.keyboard.press("Enter")
    secret = await page.locator(".secret code").inner_text()
    await page.click(".secret button")
    await expect(page.locator(".secret button")).to_have_text("Copied")
    await page.goto("/app/")
    assert await pasted(page) == secret


async def test_what_cannot_be_copied_is_said(answered: Page) -> None:
    await answered.evaluate("document.execCommand = () => false")
    await answered.click(".from-assistant .tools [aria-label='Copy']")
    await expect(answered.locator(".notice.error")).to_contain_text("could not be copied")


async def test_the_pages_copy_the_same(answered: Page) -> None:
    page = answered
    await page.goto(page.url.replace("/app/", "/"))
    await page.locator(".from-assistant").hover()
    await page.click(".from-assistant .tools [aria-label='Copy']")
    await expect(page.locator("#announcer")).to_have_text("Copied")
    assert await pasted(page) == "".join(answer_for(PROMPT))


async def test_other_verbs_of_the_application_need_no_https(answered: Page) -> None:
    page = answered
    await page.click(".from-assistant [aria-label='Another answer']")
    await expect(page.locator(".branches .number")).to_have_text("2 of 2")
    await watch_to_end(page, expected_of(PROMPT))
    await page.click(".from-user [aria-label='Edit']")
    await page.fill("#edited", "Coffee? [[tokens=6]]")
    await page.click(".editor .primary")
    await expect(page.locator(".said")).to_have_text("Coffee? [[tokens=6]]")
    await watch_to_end(page, expected_of("Coffee? [[tokens=6]]"))

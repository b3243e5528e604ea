"""What is too long is kept whole, told with its length before it is sent, and sent once it is short enough."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import OpenPage, register
from tests.browser.test_chat import ask

pytestmark = pytest.mark.browser

MOST = 100_000
COUNT = "160,000 of 100,000 characters: 60,000 too many"
IS_REFUSED = "field => field.matches(':user-invalid, :invalid') && field.validationMessage"


@pytest.mark.parametrize("face", ["/", "/app/"])
async def test_a_paste_that_is_too_long_loses_nothing_and_is_not_sent(alice: Page, face: str) -> None:
    await alice.goto(face)
    await alice.click("#content")
    # A character of two units counts once, here as on the server.
    await alice.keyboard.insert_text("🍵" + "x" * 159_999)
    await expect(alice.locator(".composer-box .over")).to_have_text(COUNT)
    await alice.keyboard.press("Enter")
    assert await alice.locator("#content").evaluate(IS_REFUSED) == COUNT
    assert len(await alice.input_value("#content")) == 160_000
    assert alice.url.endswith(face)
    await alice.fill("#content", "🍵 [[tokens=2]]" + "x" * (MOST - 14))
    await expect(alice.locator(".composer-box .over")).to_be_empty()
    await alice.press("#content", "Enter")
    await alice.wait_for_url("**/c/*")
    await expect(alice.locator(".said")).to_have_count(1)


@pytest.mark.parametrize("face", ["/", "/app/"])
async def test_so_is_another_wording_and_a_system_prompt(alice: Page, face: str) -> None:
    await ask(alice, "First [[tokens=2]]")
    await alice.wait_for_url("**/c/*")
    await alice.goto(face.rstrip("/") + "/c/" + alice.url.rsplit("/", 1)[1])
    await alice.click(".options summary")
    await alice.fill(".options textarea", "y" * 32_001)
    await expect(alice.locator(".options .over")).to_have_text("32,001 of 32,000 characters: 1 too many")
    await alice.click(".options button[type=submit]")
    assert await alice.locator(".options textarea").evaluate(IS_REFUSED)
    await alice.hover(".from-user")
    await alice.click(".from-user :is(a[href$='/edit'], button[aria-label='Edit'])")
    field = alice.locator(".from-user form textarea")
    await field.fill("x" * 160_000)
    await expect(alice.locator(".from-user .over")).to_have_text(COUNT)
    await alice.click(".from-user form [type=submit]")
    assert await field.evaluate(IS_REFUSED) == COUNT
    await expect(alice.locator(".said")).to_have_count(0)


async def test_a_system_prompt_that_is_out_of_sight_comes_into_view(alice: Page) -> None:
    await alice.click(".options summary")
    await alice.fill("#option-system_prompt", "y" * 32_001)
    await alice.click(".options summary")
    await alice.fill("#content", "First [[tokens=2]]")
    await alice.press("#content", "Enter")
    await expect(alice.locator("#option-system_prompt")).to_be_visible()


async def test_without_scripts_the_refusal_keeps_the_text(open_page: OpenPage) -> None:
    page = await open_page(scripts=False, allowed=("status of 422",))
    await register(page)
    await page.fill("#content", "茶" * 160_000)
    await page.click("button.send")
    await expect(page.locator("#composer-error")).to_contain_text("160,000")
    assert await page.input_value("#content") == "茶" * 160_000


async def test_a_line_end_counts_once_on_both_sides(alice: Page) -> None:
    """A browser sends two characters for it."""
    await alice.fill("#content", "[[tokens=2]]" + "\n" * 1000 + "x" * (MOST - 1012))
    await expect(alice.locator(".composer-box .over")).to_be_empty()
    await alice.press("#content", "Enter")
    await alice.wait_for_url("**/c/*")

"""The account's pages in a real browser: theme, language, a key that is shown once, all of it without scripts too."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import OpenPage, register

pytestmark = pytest.mark.browser

BACKGROUND = "getComputedStyle(document.documentElement).backgroundColor"


async def chosen(page: Page, name: str) -> None:
    """Press the button of that choice and wait for the page that follows."""
    async with page.expect_navigation():
        await page.click(f'.segments button[value="{name}"]')


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_theme_changes_the_page_at_once_and_stays(scripts: bool, open_page: OpenPage) -> None:
    page = await open_page(scripts=scripts, color_scheme="light")
    await register(page)
    await page.goto("/settings")
    light = await page.evaluate(BACKGROUND)
    await chosen(page, "dark")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = await page.evaluate(BACKGROUND)
    assert dark != light
    await expect(page.locator('.segments button[value="dark"]')).to_have_attribute("aria-pressed", "true")
    await page.goto("/")
    assert await page.evaluate(BACKGROUND) == dark
    await page.goto("/settings")
    await chosen(page, "system")
    assert await page.evaluate(BACKGROUND) == light


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_language_changes_every_page(scripts: bool, open_page: OpenPage) -> None:
    page = await open_page(scripts=scripts)
    await register(page)
    await page.goto("/settings")
    await chosen(page, "zh-CN")
    for path in ("/settings", "/", "/settings/keys"):
        await page.goto(path)
        await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    await page.goto("/settings")
    await chosen(page, "en")
    await expect(page.locator("h1")).to_have_text("Account")


async def test_the_language_is_chosen_before_signing_in(open_page: OpenPage) -> None:
    page = await open_page(scripts=False)
    await page.goto("/login?next=/settings")
    await page.click("text=简体中文")
    await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    await expect(page.locator('input[name="next"]').first).to_have_value("/settings")


async def test_a_key_is_copied_shown_once_and_made_once(open_page: OpenPage) -> None:
    page = await open_page(permissions=["clipboard-read", "clipboard-write"], allowed=("409",))
    await register(page)
    await page.goto("/settings/keys")
    await page.fill("#name", "backup script")
    await page.select_option("#expires", "30")
    await page.click("text=Make the key")
    secret = await page.locator("#key-secret").inner_text()
    assert secret.startswith("th_")
    await page.click('[data-copy="key-secret"]')
    await expect(page.locator('[data-copy="key-secret"]')).to_have_class(re.compile(r"\bdone\b"))
    assert await page.evaluate("navigator.clipboard.readText()") == secret
    # Chromium sends the form again when its answer is loaded anew.
    await page.reload()
    assert secret not in await page.content()
    await page.goto("/settings/keys")
    assert secret not in await page.content()
    await expect(page.locator(".entry")).to_have_count(1)
    await page.click("text=Revoke")
    await expect(page.locator(".entry")).to_have_count(0)
    await expect(page.locator(".nothing")).to_be_visible()


async def test_another_device_is_signed_out_from_here(open_page: OpenPage) -> None:
    here = await open_page(scripts=False)
    name = await register(here)
    there = await open_page()
    await there.goto("/login")
    await there.fill("#username", name)
    await there.fill("#password", "a long password")
    await there.keyboard.press("Enter")
    await there.wait_for_url("/")
    await here.goto("/settings/devices")
    await expect(here.locator(".entry")).to_have_count(2)
    await expect(here.locator(".entry").first).to_contain_text("This device")
    await here.click(".entry-actions button")
    await expect(here.locator(".entry")).to_have_count(1)
    await there.goto("/settings")
    await there.wait_for_url("**/login?next=/settings")


async def test_an_account_is_deleted_after_its_password(open_page: OpenPage) -> None:
    page = await open_page(allowed=("403",))
    await register(page)
    await page.goto("/settings/delete")
    await page.fill("#password", "a guess of mine")
    await page.click("form button.danger")
    await expect(page.locator("#main [role=alert]")).to_contain_text("wrong")
    await page.fill("#password", "a long password")
    await page.click("form button.danger")
    await page.wait_for_url("/login")
    await expect(page.locator("#main")).to_contain_text("Your account is deleted.")


@pytest.mark.parametrize("path", ["/settings", "/settings/keys", "/settings/devices", "/settings/delete"])
async def test_nothing_is_wider_than_a_narrow_screen(path: str, open_page: OpenPage) -> None:
    page = await open_page(viewport={"width": 390, "height": 800})
    await register(page)
    await page.goto(path)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    assert await page.evaluate("document.querySelector('#main').scrollWidth") <= 390

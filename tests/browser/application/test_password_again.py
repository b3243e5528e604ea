"""The password, asked for again where it was given long ago. (A70)"""

import pytest
from playwright.async_api import expect

from tests.browser.application.conftest import OpenApplication
from tests.browser.servers import LiveServer

pytestmark = pytest.mark.browser


async def test_A70_requests_wait_for_the_password_and_then_go_on(
    open_application: OpenApplication, live_server: LiveServer
) -> None:
    page = await open_application(allowed=("403",))
    await page.goto("/app/settings/keys")
    await page.fill("[name=name]", "backup script")
    live_server.everybody_signed_in_long_ago()
    await page.click("text=Make the key")
    await page.fill(".dialog [name=password]", "a guess")
    await page.keyboard.press("Enter")
    await expect(page.locator(".dialog .field-error")).to_be_visible()
    await page.click(".dialog >> text=Cancel")
    await expect(page.locator(".dialog")).to_have_count(0)
    await expect(page.locator("main .form-error")).to_contain_text("Enter your password")
    await expect(page.locator("[name=name]")).to_have_value("backup script")

    await page.click("text=Make the key")
    await page.fill(".dialog [name=password]", "a long password")
    await page.keyboard.press("Enter")
    await expect(page.locator(".secret")).to_contain_text("th_")
    await page.click(".entry-actions button")
    await expect(page.locator(".entry")).to_have_count(0)
    await expect(page.locator(".dialog")).to_have_count(0)

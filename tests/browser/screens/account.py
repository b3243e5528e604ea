"""What is one's own: settings, keys, devices, the end of the account."""

from playwright.async_api import Page, expect

from tests.browser import stories
from tests.browser.screens.registry import leads_to, screen
from tests.browser.stage import Scene

leads_to("settings", "/settings")
leads_to("keys", "/settings/keys")
leads_to("devices", "/settings/devices")
leads_to("account-delete", "/settings/delete")


@screen("settings-saved")
async def settings_saved(scene: Scene) -> Page:
    await scene.page.goto("/settings")
    await scene.page.click("form[action='/settings/model'] button")
    await expect(scene.page.locator("#notice .notice")).to_be_visible()
    return scene.page


@screen("password-refused", allowed=("status of 422", "status of 403", "status of 401"))
async def password_refused(scene: Scene) -> Page:
    await scene.page.goto("/settings")
    await scene.page.fill("#current_password", "not the password")
    await scene.page.fill("#new_password", "another long password")
    await scene.page.press("#new_password", "Enter")
    await expect(scene.page.locator(".form-error, .field-error").first).to_be_visible()
    return scene.page


@screen("key-made")
async def key_made(scene: Scene) -> Page:
    """Its secret, this once."""
    await scene.page.goto("/settings/keys")
    await scene.page.fill("#name", stories.Words("Backup script", "备份脚本").in_(scene.language))
    await scene.page.press("#name", "Enter")
    await expect(scene.page.locator(".secret")).to_be_visible()
    return scene.page

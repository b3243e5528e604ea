"""What is done to one message."""

from playwright.async_api import Page, expect

from tests.browser.screens.chat import opened
from tests.browser.screens.registry import screen
from tests.browser.stage import Scene


@screen("siblings")
async def siblings(scene: Scene) -> Page:
    page = await opened(scene, "siblings")
    await page.locator(".from-assistant").last.hover()
    return page


@screen("message-menu")
async def message_menu(scene: Scene) -> Page:
    """With how the answer was made."""
    page = await opened(scene, "siblings")
    await page.locator(".from-assistant").last.hover()
    await page.locator(".from-assistant .tools a[href$='/actions']").last.click()
    await expect(page.locator("#menu")).to_be_visible()
    return page


@screen("another-answer")
async def another_answer(scene: Scene) -> Page:
    page = await message_menu(scene)
    await page.click("#menu a[href$='/regenerate']")
    await expect(page.locator("#menu select")).to_be_visible()
    return page


@screen("message-delete")
async def message_delete(scene: Scene) -> Page:
    page = await message_menu(scene)
    await page.click("#menu a[href$='/delete']")
    await expect(page.locator("#menu button[type=submit]")).to_be_visible()
    return page


@screen("message-edit")
async def message_edit(scene: Scene) -> Page:
    page = await opened(scene, "stopped")
    await page.locator(".from-user").last.hover()
    await page.locator(".from-user a[href$='/edit']").last.click()
    await expect(page.locator("form.edit textarea")).to_be_visible()
    return page


async def page_of(scene: Scene, what: str, whose: str) -> Page:
    """The page that a link leads to without scripts."""
    page = await opened(scene, "stopped")
    path = await page.locator(f".{whose} a[href$='/actions']").last.get_attribute("href")
    assert path
    await page.goto(path.replace("/actions", f"/{what}"))
    return page


@screen("message-edit-page")
async def message_edit_page(scene: Scene) -> Page:
    return await page_of(scene, "edit", "from-user")


@screen("message-menu-page")
async def message_menu_page(scene: Scene) -> Page:
    return await page_of(scene, "actions", "from-assistant")


@screen("another-answer-page")
async def another_answer_page(scene: Scene) -> Page:
    return await page_of(scene, "regenerate", "from-assistant")


@screen("message-delete-page")
async def message_delete_page(scene: Scene) -> Page:
    return await page_of(scene, "delete", "from-assistant")

"""The first page, the list of conversations, and what is done to one as a whole."""

from playwright.async_api import Page, expect

from tests.browser import stories
from tests.browser.screens.registry import leads_to, screen
from tests.browser.stage import NARROW, WIDE, Scene

MISSING = "/c/0198c0de-0000-7000-8000-000000000000"

leads_to("new-conversation", "/")
leads_to("archived", "/archived")
leads_to("shortcuts-page", "/shortcuts")
leads_to("search-page-none", "/search?q=xylophone")


@screen("new-conversation-settings")
async def new_conversation_settings(scene: Scene) -> Page:
    await scene.page.goto("/")
    await scene.page.click("details.options > summary")
    return scene.page


@screen("drawer", sizes=(NARROW,))
async def drawer(scene: Scene) -> Page:
    await scene.page.goto("/")
    await scene.page.click(".drawer")
    await expect(scene.page.locator("#sidebar")).to_be_visible()
    return scene.page


@screen("account-menu", sizes=(WIDE,))
async def account_menu(scene: Scene) -> Page:
    await scene.page.goto("/")
    await scene.page.click("[popovertarget=account]")
    await expect(scene.page.locator("#account")).to_be_visible()
    return scene.page


@screen("account-menu-in-drawer", sizes=(NARROW,))
async def account_menu_in_drawer(scene: Scene) -> Page:
    page = await drawer(scene)
    await page.click("[popovertarget=account]")
    await expect(page.locator("#account")).to_be_visible()
    return page


@screen("row-menu", sizes=(WIDE,))
async def row_menu(scene: Scene) -> Page:
    await scene.page.goto("/")
    row = scene.page.locator("#conversations li").nth(2)
    await row.hover()
    await row.locator(".more").click()
    await expect(scene.page.locator("#row-menu")).to_be_visible()
    return scene.page


@screen("found", sizes=(WIDE,))
async def found(scene: Scene) -> Page:
    word = stories.Words("the", "暖气").in_(scene.language)
    await scene.page.goto("/")
    await scene.page.fill("#find", word)
    await expect(scene.page.locator("#conversations li").nth(8)).to_have_count(0)
    return scene.page


@screen("found-none", sizes=(WIDE,))
async def found_none(scene: Scene) -> Page:
    await scene.page.goto("/")
    await scene.page.fill("#find", "xylophone")
    await expect(scene.page.locator("#conversations .empty")).to_be_visible()
    return scene.page


@screen("search-page")
async def search_page(scene: Scene) -> Page:
    await scene.page.goto(f"/search?q={stories.Words('the', '茶').in_(scene.language)}")
    return scene.page


@screen("conversation-menu")
async def conversation_menu(scene: Scene) -> Page:
    await scene.page.goto(scene.paths["rich"])
    await scene.page.click("[popovertarget=conversation-menu]")
    await expect(scene.page.locator("#conversation-menu")).to_be_visible()
    return scene.page


@screen("conversation-menu-page")
async def conversation_menu_page(scene: Scene) -> Page:
    await scene.page.goto(f"{scene.paths['rich']}/actions")
    return scene.page


@screen("rename")
async def rename(scene: Scene) -> Page:
    await scene.page.goto(scene.paths["rich"])
    await scene.page.click("#heading [data-rename]")
    await expect(scene.page.locator("#heading input[name=title]")).to_be_focused()
    return scene.page


@screen("rename-page")
async def rename_page(scene: Scene) -> Page:
    await scene.page.goto(f"{scene.paths['rich']}/rename")
    return scene.page


@screen("deleted-with-undo")
async def deleted_with_undo(scene: Scene) -> Page:
    await scene.page.goto(await scene.make(stories.WRITING.in_(scene.language)))
    await scene.page.click("[popovertarget=conversation-menu]")
    await scene.page.click("#conversation-menu .danger")
    await expect(scene.page.locator("#notice .notice")).to_be_visible()
    return scene.page


@screen("archived-conversation")
async def archived_conversation(scene: Scene) -> Page:
    await scene.page.goto("/archived")
    await scene.page.locator(".links li > a").first.click()
    await expect(scene.page.locator("#heading .archived")).to_be_visible()
    return scene.page


@screen("shortcuts")
async def shortcuts(scene: Scene) -> Page:
    await scene.page.goto(scene.paths["rich"])
    await scene.page.locator(".scroller").focus()
    await scene.page.keyboard.press("?")
    await expect(scene.page.locator("#dialog")).to_be_visible()
    return scene.page


@screen("not-found", allowed=("status of 404",))
async def not_found(scene: Scene) -> Page:
    await scene.page.goto(MISSING)
    return scene.page

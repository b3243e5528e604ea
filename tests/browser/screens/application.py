"""The application at /app/."""

from playwright.async_api import Page, expect

from tests.browser import stories
from tests.browser.screens.lists import MISSING
from tests.browser.screens.registry import screen
from tests.browser.stage import NARROW, WIDE, Scene


async def opened(scene: Scene, path: str, until: str, *, nobody: bool = False) -> Page:
    page = scene.nobody if nobody else scene.page
    await page.goto(f"/app{path}")
    await expect(page.locator(until).first).to_be_visible()
    await page.evaluate("document.fonts.ready")
    return page


def leads_to(name: str, path: str, until: str, *, nobody: bool = False, allowed: tuple[str, ...] = ()) -> None:
    async def show(scene: Scene) -> Page:
        return await opened(scene, path, until, nobody=nobody)

    screen(f"app-{name}", allowed=allowed)(show)


def conversation(name: str, prepared: str, until: str) -> None:
    async def show(scene: Scene) -> Page:
        return await opened(scene, scene.paths[prepared], until)

    screen(f"app-{name}")(show)


leads_to("sign-in", "/login", "#username", nobody=True)
leads_to("new-conversation", "/", "#content")
leads_to("settings", "/settings", "h2")
leads_to("keys", "/settings/keys", "h2")
leads_to("devices", "/settings/devices", "button.danger, .devices li, table")
leads_to("overview", "/admin", "#signup")
leads_to("users", "/admin/users", "table")
leads_to("invitations", "/admin/invites", "table, .nothing")
leads_to("models", "/admin/models", "h2")
leads_to("jobs", "/admin/jobs", "table, .nothing")
leads_to("archived", "/archived", ".archived-list")
leads_to("not-found", f"/nothing{MISSING}", "h1")

conversation("answer-rich", "rich", ".from-assistant .tools")
conversation("answer-stopped", "stopped", ".cut")
conversation("answer-failed", "failed", ".failure")
conversation("context-nearly-full", "full", ".context meter")


@screen("app-answer-writing")
async def answer_writing(scene: Scene) -> Page:
    question = stories.WRITING.in_(scene.language)
    page = await opened(scene, await scene.begin(question, question), ".from-assistant .prose p")
    await expect(page.locator(".from-assistant .prose").last).to_contain_text("1610")
    return page


@screen("app-answer-in-trouble")
async def answer_in_trouble(scene: Scene) -> Page:
    question = stories.HURRIED.in_(scene.language)
    return await opened(scene, await scene.begin(question, question), ".trouble button")


@screen("app-answer-thinking-open")
async def answer_thinking(scene: Scene) -> Page:
    question = stories.THINKING.in_(scene.language)
    page = await opened(scene, await scene.begin(question, question), ".thinking summary")
    await page.click(".thinking summary")
    await expect(page.locator(".thinking").last).to_contain_text("350")
    return page


@screen("app-conversation-menu")
async def conversation_menu(scene: Scene) -> Page:
    page = await opened(scene, scene.paths["rich"], ".from-assistant .tools")
    await page.click(".bar [aria-haspopup=menu]")
    await expect(page.locator(".menu-panel")).to_be_visible()
    return page


@screen("app-message-menu")
async def message_menu(scene: Scene) -> Page:
    page = await opened(scene, scene.paths["rich"], ".from-assistant .tools")
    await page.locator(".from-assistant .tools [aria-haspopup=menu]").last.click()
    await expect(page.locator(".menu-panel .made")).to_be_visible()
    return page


@screen("app-message-delete")
async def message_delete(scene: Scene) -> Page:
    page = await message_menu(scene)
    await page.click(".menu-panel .danger")
    await expect(page.locator(".dialog .excerpt")).to_be_visible()
    return page


@screen("app-settings-of-the-conversation")
async def settings_of_the_conversation(scene: Scene) -> Page:
    page = await opened(scene, scene.paths["rich"], ".options summary")
    await page.click(".options summary")
    return page


@screen("app-palette")
async def palette(scene: Scene) -> Page:
    page = await opened(scene, "/", "#content")
    await page.keyboard.press("Control+k")
    await expect(page.locator(".dialog [role=option]").first).to_be_visible()
    return page


@screen("app-shortcuts")
async def shortcuts(scene: Scene) -> Page:
    page = await opened(scene, "/", "#content")
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("?")
    await expect(page.locator(".dialog .keys")).to_be_visible()
    return page


@screen("app-user-usage")
async def user_usage(scene: Scene) -> Page:
    page = await opened(scene, "/admin/users", "table")
    await page.locator(".user-actions button").first.click()
    await expect(page.locator(".dialog #storage")).to_be_visible()
    await expect(page.locator(".dialog #tokens")).to_be_visible()
    return page


@screen("app-model-details")
async def model_details(scene: Scene) -> Page:
    page = await opened(scene, "/admin/models", ".entry-actions")
    await page.locator(".entry-actions button").first.click()
    await expect(page.locator(".dialog .facts div").first).to_be_visible()
    return page


@screen("app-invitation-made")
async def invitation_made(scene: Scene) -> Page:
    page = await opened(scene, "/admin/invites", "[name=label]")
    await page.fill("[name=label]", "Erin from the reading room, who has asked for an account three times")
    await page.click(".fetch button")
    await expect(page.locator(".handed")).to_be_visible()
    await expect(page.locator("table").first).to_be_visible()
    return page


@screen("app-several-chosen", sizes=(WIDE,))
async def several_chosen(scene: Scene) -> Page:
    page = await opened(scene, "/", ".virtual-list .row")
    for number in range(2):
        await page.locator(".virtual-list .row a").nth(number).click(modifiers=["Control"])
    await expect(page.locator(".chosen button").first).to_be_visible()
    return page


@screen("app-drawer", sizes=(NARROW,))
async def drawer(scene: Scene) -> Page:
    page = await opened(scene, "/", "#content")
    await page.click(".drawer")
    await expect(page.locator(".sidebar")).to_be_visible()
    return page


@screen("app-account-menu", sizes=(WIDE,))
async def account_menu(scene: Scene) -> Page:
    page = await opened(scene, "/", ".account-menu")
    await page.click(".account-menu")
    return page


@screen("app-server-gone", allowed=("Failed to load resource",))
async def server_gone(scene: Scene) -> Page:
    await scene.page.route("**/api/v1/auth/refresh", lambda route: route.abort())
    return await opened(scene, "/", "h1")


@screen("app-new-version")
async def new_version(scene: Scene) -> Page:
    page = await opened(scene, scene.paths["rich"], ".from-assistant .tools")
    await page.evaluate("navigator.serviceWorker.ready")
    await page.reload()
    await expect(page.locator(".from-assistant .tools").first).to_be_visible()
    # The same worker by another name is a new one.
    await page.evaluate("navigator.serviceWorker.register('/app/sw.js?new', { scope: '/app/' })")
    await expect(page.locator(".notice button").first).to_be_visible()
    return page

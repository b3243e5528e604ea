"""Before one is signed in."""

from playwright.async_api import Page, expect

from tests.browser.screens.registry import leads_to, screen
from tests.browser.stage import Scene

leads_to("sign-in", "/login", nobody=True)
leads_to("register", "/register", nobody=True)


@screen("sign-in-refused", allowed=("status of 401",))
async def sign_in_refused(scene: Scene) -> Page:
    page = scene.nobody
    await page.goto("/login")
    await page.fill("#username", "robin")
    await page.fill("#password", "not the password")
    await page.press("#password", "Enter")
    await expect(page.locator(".form-error")).to_be_visible()
    return page


@screen("register-refused", allowed=("status of 422", "status of 409"))
async def register_refused(scene: Scene) -> Page:
    page = scene.nobody
    await page.goto("/register")
    await page.fill("#username", "robin")
    await page.fill("#email", "en@example.org")
    await page.fill("#password", "a long password")
    await page.press("#password", "Enter")
    await expect(page.locator(".form-error, .field-error").first).to_be_visible()
    return page


@screen("register-closed")
async def register_closed(scene: Scene) -> Page:
    context = scene.bare.context
    kept = await context.cookies()
    await context.clear_cookies()
    await scene.bare.goto("/register")
    await context.add_cookies(kept)  # type: ignore[arg-type]
    return scene.bare


@screen("first-run")
async def first_run(scene: Scene) -> Page:
    await scene.fresh.goto("/register")
    return scene.fresh


@screen("no-model")
async def no_model(scene: Scene) -> Page:
    """Nobody has a conversation there, and no model server answers."""
    await scene.bare.goto("/")
    return scene.bare

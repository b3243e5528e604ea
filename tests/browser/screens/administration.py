"""For administrators: users, invitations, models, jobs."""

from playwright.async_api import Page, expect

from tests.browser import stories
from tests.browser.screens.registry import leads_to, screen
from tests.browser.stage import Scene

leads_to("admin", "/admin")
leads_to("users", "/admin/users")
leads_to("user-new", "/admin/users/new")
leads_to("models", "/admin/models")
leads_to("model", "/admin/models/show?id=ollama/qwen3:8b")
leads_to("model-delete", "/admin/models/delete?id=ollama/qwen3:8b")
leads_to("jobs-none", "/admin/jobs?kind=model_pull&status=succeeded")


@screen("user")
async def user(scene: Scene) -> Page:
    await scene.page.goto("/admin/users")
    await scene.page.click("a[href^='/admin/users/']:has-text('mira')")
    await expect(scene.page.locator("h1")).to_have_text("mira")
    return scene.page


@screen("user-disabled")
async def user_disabled(scene: Scene) -> Page:
    await scene.page.goto("/admin/users")
    await scene.page.click("a[href^='/admin/users/']:has-text('tom.retired')")
    await expect(scene.page.locator("h1")).to_have_text("tom.retired")
    return scene.page


@screen("user-delete")
async def user_delete(scene: Scene) -> Page:
    page = await user(scene)
    await page.click("a[href$='/delete']")
    await page.wait_for_url("**/delete")
    return page


@screen("invitation-made")
async def invitation_made(scene: Scene) -> Page:
    await scene.page.goto("/admin/invites")
    await scene.page.click("form[action='/admin/invites'] button")
    await expect(scene.page.locator(".secret")).to_be_visible()
    return scene.page


@screen("model-pull")
async def model_pull(scene: Scene) -> Page:
    """Under way: the storyteller's downloads stay at 43 %."""
    await scene.page.goto("/admin/models")
    await scene.page.fill("#name", "llama3.2:11b")
    await scene.page.press("#name", "Enter")
    await expect(scene.page.locator("progress[value='2115600000']")).to_be_visible()
    return scene.page


@screen("model-pull-failed")
async def model_pull_failed(scene: Scene) -> Page:
    await scene.page.goto("/admin/models")
    name = f"missing-{scene.language.lower()}:7b"
    await scene.page.fill("#name", name)
    await scene.page.press("#name", "Enter")
    await expect(scene.page.locator(f".entry:has-text('{name}') .field-error").first).to_be_visible()
    return scene.page


@screen("model-pull-refused", allowed=("status of 422",))
async def model_pull_refused(scene: Scene) -> Page:
    await scene.page.goto("/admin/models")
    await scene.page.fill("#name", "no such name!")
    await scene.page.press("#name", "Enter")
    await expect(scene.page.locator(".form-error, .fetch .field-error").first).to_be_visible()
    return scene.page


@screen("models-none")
async def models_none(scene: Scene) -> Page:
    await scene.bare.goto("/admin/models")
    return scene.bare


@screen("jobs")
async def jobs(scene: Scene) -> Page:
    """One runs, one waits."""
    for words in (stories.WRITING, stories.PLAIN_QUESTION):
        await scene.begin(words.in_(scene.language), words.in_(scene.language))
    await scene.page.goto("/admin/jobs")
    await expect(scene.page.locator("#jobs .entry").first).to_be_visible()
    return scene.page

"""What enriches pages and application alike: the search among models, the use of the model, diagrams."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from tests.browser.screens.registry import screen
from tests.browser.stage import NARROW, WIDE, Scene

FACES = {"": "", "app-": "/app"}


async def model_search(scene: Scene, face: str) -> Page:
    page = scene.page
    await page.goto(f"{face}/")
    await expect(page.locator("#content")).to_be_visible()
    await page.focus("#content")
    await page.keyboard.press("Tab")
    await expect(page.locator(".chooser-opener")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(page.locator(".chooser-panel [role=option]").first).to_be_visible()
    return page


async def use_of_the_model(scene: Scene, face: str) -> Page:
    page = scene.page
    await page.goto(face + scene.paths["several"])
    await page.click(".context button")
    await expect(page.locator(".usage circle")).to_have_count(5)
    return page


async def diagram(scene: Scene, face: str) -> Page:
    page = scene.page
    await page.goto(face + scene.paths["diagram"])
    await page.click(".draw")
    await expect(page.locator("iframe.diagram:not([height='0'])")).to_be_visible()
    return page


def shows(
    name: str, state: Callable[[Scene, str], Awaitable[Page]], sizes: tuple[tuple[int, int], ...] = (WIDE, NARROW)
) -> None:
    """In both faces."""
    for prefix, face in FACES.items():

        async def show(scene: Scene, face: str = face) -> Page:
            return await state(scene, face)

        screen(prefix + name, sizes=sizes)(show)


@screen("app-model-search-narrow", sizes=(NARROW,))
async def model_search_narrow(scene: Scene) -> Page:
    page = scene.page
    await page.goto("/app/")
    await page.click(".chooser-opener")
    await expect(page.locator(".chooser-panel [role=option]").first).to_be_visible()
    return page


shows("model-search", model_search, (WIDE,))
shows("use-of-the-model", use_of_the_model)
shows("diagram-drawn", diagram)

"""Arabic on both faces and Hebrew, as tall as the whole answer."""

from playwright.async_api import Page

from tests.browser.screens import application, chat
from tests.browser.screens.registry import screen
from tests.browser.stage import NARROW, WIDE, Scene

SIZES = ((WIDE[0], 1900), (NARROW[0], 2300))


@screen("arabic", sizes=SIZES)
async def arabic(scene: Scene) -> Page:
    return await chat.opened(scene, "arabic")


@screen("hebrew", sizes=SIZES)
async def hebrew(scene: Scene) -> Page:
    return await chat.opened(scene, "hebrew")


@screen("app-arabic", sizes=SIZES)
async def arabic_in_application(scene: Scene) -> Page:
    return await application.opened(scene, scene.paths["arabic"], ".from-assistant .tools")

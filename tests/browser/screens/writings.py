"""Answers of one kind, on both faces, as tall as the whole answer."""

from playwright.async_api import Page

from tests.browser.screens import application, chat
from tests.browser.screens.registry import screen
from tests.browser.stage import NARROW, WIDE, Scene


def answer(name: str, *, wide: int, narrow: int) -> None:
    """`wide`, `narrow`: how tall it is, in pixels."""
    sizes = ((WIDE[0], wide), (NARROW[0], narrow))

    @screen(name, sizes=sizes)
    async def on_the_pages(scene: Scene) -> Page:
        return await chat.opened(scene, name)

    @screen(f"app-{name}", sizes=sizes)
    async def in_the_application(scene: Scene) -> Page:
        return await application.opened(scene, scene.paths[name], ".from-assistant .tools")


answer("arabic", wide=1900, narrow=2300)
answer("hebrew", wide=1900, narrow=2300)
answer("cjk", wide=1900, narrow=2500)
answer("tables", wide=2400, narrow=2700)

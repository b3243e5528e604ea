"""A state that a person can see: its name, and what brings a page there."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.async_api import Page

from tests.browser.stage import NARROW, WIDE, Scene, State, resize


@dataclass(frozen=True)
class Screen:
    name: str
    show: State
    sizes: tuple[tuple[int, int], ...]
    allowed: tuple[str, ...]


SCREENS: dict[str, Screen] = {}


def screen(
    name: str, *, sizes: tuple[tuple[int, int], ...] = (WIDE, NARROW), allowed: tuple[str, ...] = ()
) -> Callable[[State], State]:
    """`allowed`: parts of console messages that belong to the state."""

    def add(show: State) -> State:
        assert name not in SCREENS
        SCREENS[name] = Screen(name, show, sizes, allowed)
        return show

    return add


def leads_to(name: str, path: str, *, nobody: bool = False) -> None:
    """A state that is only an address."""

    async def show(scene: Scene) -> Page:
        page = scene.nobody if nobody else scene.page
        await page.goto(path)
        return page

    screen(name)(show)


async def bring(name: str, scene: Scene) -> Page:
    """The page in that state, as wide as it can be seen there."""
    found = SCREENS[name]
    scene.allowed[:] = found.allowed
    for page in (scene.page, scene.nobody, scene.fresh, scene.bare):
        await resize(page, found.sizes[0])
    return await found.show(scene)

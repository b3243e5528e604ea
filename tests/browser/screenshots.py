"""`python -m tests.browser.screenshots [name …]`: every state as it looks, into screenshots/ with a contact sheet.

Two widths, light and dark, English and Chinese. Names choose states; a name's beginning is enough.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from playwright.async_api import Page, async_playwright

from tests.browser.chromium import ARGUMENTS, CHROMIUM
from tests.browser.contact_sheet import write_sheet
from tests.browser.screens import SCREENS, Screen, bring
from tests.browser.servers import ROOT
from tests.browser.stage import Scene, resize, scenes

FOLDER = ROOT / "screenshots"
THEMES = ("light", "dark")
TALLEST = 2600
# How much of a page that scrolls by itself (settings, lists) is out of sight; a conversation stays one screen.
HIDDEN = """() => document.querySelector("#chat") ? 0
  : Math.max(0, ...[document.documentElement, document.querySelector("#main")]
      .map(element => element ? element.scrollHeight - element.clientHeight : 0))"""

# A drawing is made anew for another width or theme, in a frame of its own.
DRAWN = """async () => {
  const heights = () => [...document.querySelectorAll("iframe")].map(frame => frame.clientHeight).join()
  for (let same = 0, last = heights(); last && same < 5;) {
    await new Promise(resolve => setTimeout(resolve, 100))
    const now = heights()
    same = now === last ? same + 1 : 0
    last = now
  }
}"""


async def main(wanted: list[str]) -> None:
    chosen = [s for s in SCREENS.values() if not wanted or any(s.name.startswith(name) for name in wanted)]
    assert chosen, f"no such state; there are {', '.join(SCREENS)}"
    began, problems = time.monotonic(), list[str]()
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="teahouse-screens-") as folder:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            async with scenes(browser, Path(folder)) as made:
                for scene in made.values():
                    for screen in chosen:
                        problems += await picture(scene, screen)
            await browser.close()
    write_sheet(FOLDER, list(SCREENS))
    print(f"{len(chosen)} states in {time.monotonic() - began:.0f} s: {FOLDER / 'index.html'}")
    if problems:
        sys.exit("\n".join(problems))


async def picture(scene: Scene, screen: Screen) -> list[str]:
    """One state in one language, in all sizes and themes; what went wrong meanwhile."""
    scene.faults.clear()
    try:
        page = await bring(screen.name, scene)
        # The wide ones first: what was touched once is not hovered over before the next page.
        for size in screen.sizes:
            for theme in THEMES:
                await _shoot(page, size, theme, FOLDER / f"{screen.name}.{scene.language}.{theme}.{size[0]}.png")
        await page.emulate_media(color_scheme="null", media="null")
    except Exception as error:
        scene.faults.append(str(error).strip())
    problems = [f"{screen.name} ({scene.language}): {fault}" for fault in scene.faults]
    await scene.rest()
    return problems


async def _shoot(page: Page, size: tuple[int, int], theme: str, path: Path) -> None:
    await page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    await resize(page, size)
    if hidden := await page.evaluate(HIDDEN):
        await page.set_viewport_size({"width": size[0], "height": min(size[1] + hidden, TALLEST)})
    await page.evaluate(DRAWN)
    await page.screenshot(path=path, animations="disabled", caret="hide")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))

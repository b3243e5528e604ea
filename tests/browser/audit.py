"""What each state that can be seen is checked for: nothing that shuts somebody out, nothing amiss."""

from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.async_api import Page

from tests.browser.screens import bring
from tests.browser.stage import NARROW, Scene, resize
from tests.effort import IS_CAMPAIGN

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
# What a theme, or a width, can change: the rest needs no second look.
COLOURS = {"runOnly": ["color-contrast"]}
LAYOUT = {"runOnly": ["target-size", "scrollable-region-focusable"]}
EVERYTHING = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
# A drawing's frame has no origin: what axe would say to it, the browser refuses with a complaint.
# The selectors take a fifth of its time, and are of use only where something was found.
AUDIT = """async rules => {
  const found = async selectors => (await axe.run(document, {
    ...rules, selectors, iframes: false, resultTypes: ["violations"],
  })).violations.filter(violation => ["serious", "critical"].includes(violation.impact))
  if (!(await found(false)).length) return []
  return (await found(true)).flatMap(violation => violation.nodes.map(
    node => `${violation.id}: ${node.target} ${node.any[0]?.message ?? violation.help}`))
}"""
SHAPE = """() => {
  const shown = element => element.checkVisibility({visibilityProperty: true});
  const main = document.querySelectorAll("main");
  const headings = [...document.querySelectorAll("h1")].filter(shown);
  const ids = [...document.querySelectorAll("[id]")].map(element => element.id);
  return {
    lang: document.documentElement.lang,
    title: document.title,
    headings: headings.length,
    mains: main.length,
    isNamed: Boolean(main[0]?.matches("[aria-label], [aria-labelledby]")),
    twice: [...new Set(ids.filter((id, place) => ids.indexOf(id) !== place))],
  };
}"""
# What reaches out of the screen, and is not scrolled in a place of its own.
TOO_WIDE = """() => [document.documentElement.scrollWidth, document.querySelector("#main")?.scrollWidth ?? 0]
  .filter(width => width > innerWidth)"""


async def audit(scene: Scene, name: str, *, thoroughly: bool, elsewhere: bool = True) -> None:
    """`thoroughly`: by axe as well. Nothing but lengths is different in another language.

    `elsewhere`: also in the dark and on a phone, where most states are put together from the same parts.
    """
    found = list[str]()
    scene.faults.clear()
    try:
        page = await bring(name, scene)
        shape = await page.evaluate(SHAPE)
        if thoroughly:
            found += await _violations(page, "light", EVERYTHING)
            found += await _violations(page, "dark", COLOURS) if elsewhere else []
        too_wide = await page.evaluate(TOO_WIDE)
        await resize(page, NARROW)
        await page.evaluate("new Promise(drawn => requestAnimationFrame(() => setTimeout(drawn)))")
        too_wide += await page.evaluate(TOO_WIDE)
        if thoroughly and elsewhere:
            narrow = await _violations(page, "light", EVERYTHING if IS_CAMPAIGN else LAYOUT)
            found += [f"narrow, {violation}" for violation in narrow]
        await page.emulate_media(color_scheme="null", media="null", reduced_motion="null")
    finally:
        faults = list(scene.faults)
        await scene.rest()
    assert found == [], found
    assert shape["lang"] == scene.language and shape["title"] and shape["twice"] == []
    assert shape["mains"] == 1 and (shape["headings"] == 1 or shape["isNamed"]), shape
    assert too_wide == []
    assert faults == []


async def _violations(page: Page, theme: Any, options: dict[str, Any]) -> list[str]:
    await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    # Evaluated by the debugger, which the page's policy does not concern; the policy stays on and is watched.
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE)
    found: list[str] = await page.evaluate(AUDIT, options)
    return [f"{theme}: {violation}" for violation in found]

"""Every state that can be seen, in both languages and both themes: nothing that shuts somebody out, nothing amiss."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.browser.screens import SCREENS, bring
from tests.browser.stage import LANGUAGES, NARROW, Scene, resize, scenes

pytestmark = pytest.mark.browser

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
# What a theme cannot change needs no second look.
ONLY_COLOURS = {"runOnly": ["color-contrast"]}
EVERYTHING = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
AUDIT = """async options => (await axe.run(document, {...options, resultTypes: ["violations"]})).violations
  .filter(found => ["serious", "critical"].includes(found.impact))
  .flatMap(found => found.nodes.map(node => `${found.id}: ${node.target} ${node.any[0]?.message ?? found.help}`))"""
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
# What reaches out of a narrow screen, and is not scrolled in a place of its own.
TOO_WIDE = """() => [document.documentElement.scrollWidth, document.querySelector("#main")?.scrollWidth ?? 0]
  .filter(width => width > innerWidth)"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Scene]]:
    """One set of servers for all states."""
    async with scenes(chromium, tmp_path_factory.mktemp("stage")) as made:
        yield made


async def audited(page: Page, theme: Any, options: dict[str, Any]) -> list[str]:
    await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    # Evaluated by the debugger, which the page's policy does not concern; the policy stays on and is watched.
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE)
    found: list[str] = await page.evaluate(AUDIT, options)
    return [f"{theme}: {violation}" for violation in found]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SCREENS)
async def test_a_state_shuts_nobody_out(stage: dict[str, Scene], name: str, language: str) -> None:
    scene = stage[language]
    scene.faults.clear()
    try:
        page = await bring(name, scene)
        shape = await page.evaluate(SHAPE)
        found = await audited(page, "light", EVERYTHING)
        found += await audited(page, "dark", ONLY_COLOURS)
        await resize(page, NARROW)
        await page.evaluate("new Promise(drawn => requestAnimationFrame(() => setTimeout(drawn)))")
        too_wide = await page.evaluate(TOO_WIDE)
        found += [f"narrow, {violation}" for violation in await audited(page, "light", EVERYTHING)]
        await page.emulate_media(color_scheme="null", media="null", reduced_motion="null")
    finally:
        faults = list(scene.faults)
        await scene.rest()
    assert found == []
    assert shape["lang"] == language and shape["title"] and shape["twice"] == []
    assert shape["mains"] == 1 and (shape["headings"] == 1 or shape["isNamed"]), shape
    assert too_wide == []
    assert faults == []

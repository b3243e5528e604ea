"""Every state that can be seen, in English."""

import pytest

from tests.browser.audit import audit
from tests.browser.screens import SCREENS, bring
from tests.browser.stage import Scene
from tests.effort import IS_CAMPAIGN

pytestmark = [pytest.mark.browser, pytest.mark.campaign]


# On which side of the answer the parts of it begin.
PLACES = """() => {
  const prose = document.querySelector(".from-assistant .prose").getBoundingClientRect();
  const boxOf = element => {
    const range = document.createRange();
    range.selectNodeContents(element);
    return range.getBoundingClientRect();
  };
  const side = box => box.left - prose.left < prose.right - box.right ? "left" : "right";
  const directed = element => getComputedStyle(element).direction === "rtl" ? "right" : "left";
  const find = (selector, text) => [...document.querySelectorAll(".prose " + selector)]
    .find(element => element.textContent.startsWith(text));
  const [first, , , last] = document.querySelectorAll(".prose th");
  const {borderRightWidth} = getComputedStyle(document.querySelector(".prose blockquote"));
  return {
    "item": side(boxOf(find("li", "سخّن"))),
    "English item": side(boxOf(find("li", "Only English"))),
    "paragraph after Latin": directed(find("p", "Python")),
    "quote's line": parseFloat(borderRightWidth) > 0 ? "right" : "left",
    "first column": boxOf(first).left > boxOf(last).left ? "right" : "left",
    "code": side(boxOf(document.querySelector(".prose pre code"))),
    "title": directed(document.querySelector(".conversations [aria-current]")),
  };
}"""

ELSEWHERE = list(SCREENS) if IS_CAMPAIGN else list(SCREENS)[::3]


@pytest.mark.parametrize("name", SCREENS)
async def test_a_state_shuts_nobody_out(stage: dict[str, Scene], name: str) -> None:
    await audit(stage["en"], name, thoroughly=True, elsewhere=name in ELSEWHERE)


@pytest.mark.parametrize("name", ["arabic", "app-arabic"])
async def test_arabic_begins_at_the_right_with_what_is_drawn_around_it(stage: dict[str, Scene], name: str) -> None:
    page = await bring(name, stage["en"])
    places = await page.evaluate(PLACES)
    assert places == {
        "item": "right",
        "English item": "left",
        "paragraph after Latin": "right",
        "quote's line": "right",
        "first column": "right",
        "code": "left",
        "title": "right",
    }
    await page.fill("#content", "مرحبا")
    assert await page.evaluate("getComputedStyle(document.querySelector('#content')).direction") == "rtl"

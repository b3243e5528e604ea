"""Names of 120 characters without a space: nothing is pushed off the screen."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import OpenPage, register
from tests.browser.servers import LiveServer
from tests.browser.test_islands import told

pytestmark = pytest.mark.browser

MODEL = "ollama/hf.co/somebody/Qwen2.5-Coder-32B-Instruct-GGUF:Q4_K_M-" + "quantised" * 7
TITLE = "Donaudampfschifffahrtsgesellschaftskapitän" * 3
FACES = pytest.mark.parametrize("face", ["", "/app"], ids=["pages", "application"])
# What is to be used or read and is not whole on the screen. What scrolls by itself, or is put away, does not count.
PUSHED_OFF = """() => {
  const used = "button, a[href], input, select, textarea, summary, h1, h2, h3, label, li, td, p, dd";
  const scrolls = ".prose, .table, .el-scrollbar, .el-table, [popover]:not(:popover-open), .visually-hidden, .skip";
  const isSeen = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const found = [...document.querySelectorAll(used)].filter((element) => {
    const { left, right, width } = element.getBoundingClientRect();
    const isOff = width > 1 && (right > innerWidth + 1 || left < -1);
    return isOff && isSeen(element) && !element.closest(scrolls) && !(right <= 0 && element.closest("#sidebar"));
  });
  const boxes = "dialog, .el-dialog, .palette, main, nav, .dock, .scroller, .virtual-list, .deeds, html";
  const wide = [...document.querySelectorAll(boxes)]
    .filter((box) => isSeen(box) && box.scrollWidth > box.clientWidth + 1)
    .map((box) => `${box.tagName}.${box.className} scrolls sideways: ${box.scrollWidth} > ${box.clientWidth}`);
  return [...wide, ...found.map((element) => element.outerHTML.slice(0, 120))];
}"""


async def expect_nothing_pushed_off(page: Page, where: str, widths: tuple[int, ...] = (320, 390, 1280)) -> None:
    for width in widths:
        await page.set_viewport_size({"width": width, "height": 740})
        await page.evaluate("new Promise(drawn => requestAnimationFrame(() => setTimeout(drawn, 50)))")
        assert await page.evaluate(PUSHED_OFF) == [], f"{where}, {width} pixels wide"


@FACES
async def test_nothing_is_pushed_off(open_page: OpenPage, live_server: LiveServer, face: str) -> None:
    page = await open_page(allowed=("status of 404",))
    name = await register(page)
    path = await told(live_server, name, "Yes. " + "https://example.org/" + "x" * 120, title=TITLE, model=MODEL)
    await page.goto(face + path)
    await expect(page.locator(".from-assistant .tools")).to_be_visible()
    await expect_nothing_pushed_off(page, "conversation")
    await page.click(".options summary")
    await expect_nothing_pushed_off(page, "settings of the conversation")
    await page.click(".options summary")
    for width in (320, 1280):  # a menu that is open closes when its window changes
        await page.set_viewport_size({"width": width, "height": 740})
        await page.locator(".bar").get_by_role("button", name="More").click()
        await expect_nothing_pushed_off(page, "conversation's menu", (width,))
        await page.keyboard.press("Escape")
    await page.set_viewport_size({"width": 320, "height": 740})
    await page.click(".bar .drawer")
    await expect_nothing_pushed_off(page, "drawer", (320, 390))
    await page.keyboard.press("Escape")
    if face:
        await page.keyboard.press("Control+k")
        await expect(page.get_by_role("dialog")).to_be_visible()
        await expect_nothing_pushed_off(page, "palette")
        await page.keyboard.press("Escape")
    for address in ("/", "/settings", "/settings/keys", "/settings/devices", "/archived"):
        await page.goto(face + address)
        await page.wait_for_selector("main :is(h1, h2, p, li)")
        await expect_nothing_pushed_off(page, address)

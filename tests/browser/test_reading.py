"""The place that is read: it stays while text arrives, in every browser, and is found again on the way back."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import OpenPage, register
from tests.browser.servers import LiveServer
from tests.browser.test_islands import told

pytestmark = pytest.mark.browser

# As in Safari.
WITHOUT_ANCHORING = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("* { overflow-anchor: none !important }");
  document.adoptedStyleSheets = [sheet];
}"""
PLACE = "document.querySelector('.scroller').scrollTop"
TOP = "document.querySelector('.message').getBoundingClientRect().top"
HEIGHT = "document.querySelector('.thread').offsetHeight"
FACES = pytest.mark.parametrize("face", ["", "/app"], ids=["pages", "application"])


async def scroll_to(page: Page, place: int) -> None:
    await page.evaluate(f"{PLACE} = {place}")
    await page.wait_for_timeout(300)


@FACES
async def test_what_is_read_stays_while_text_arrives(alice: Page, face: str) -> None:
    await alice.goto(f"{face}/")
    await alice.evaluate(WITHOUT_ANCHORING)
    await alice.fill("#content", "Tell me in pieces [[tokens=900 rate=80 first=100 text=markdown]]")
    await alice.keyboard.press("Enter")
    await alice.wait_for_function(f"() => document.querySelector('.thread') && {HEIGHT} > 2000")
    await alice.evaluate(WITHOUT_ANCHORING)
    await scroll_to(alice, -900)
    top, height = await alice.evaluate(TOP), await alice.evaluate(HEIGHT)
    grown = height
    while grown < height + 800:
        await alice.wait_for_timeout(40)
        grown = await alice.evaluate(HEIGHT)
        assert abs(await alice.evaluate(TOP) - top) < 6


@FACES
async def test_back_and_reload_lead_to_where_one_was(open_page: OpenPage, live_server: LiveServer, face: str) -> None:
    page = await open_page()
    path = await told(live_server, await register(page), *(f"Answer {n}. " + "Tea is good. " * 60 for n in range(60)))
    await page.goto(face + path)
    await expect(page.locator(".message").last).to_contain_text("Answer 59.")
    for place in (-900, -9000):
        await scroll_to(page, place)
        await page.wait_for_timeout(300)  # what is above may come meanwhile
        before = await page.evaluate(PLACE)
        await page.locator("a:has-text('New conversation')").first.click()
        await page.wait_for_url(f"**{face}/")
        await page.go_back()
        await page.wait_for_function(f"() => document.querySelector('.scroller') && Math.abs({PLACE} - {before}) < 12")
        await page.reload()
        await page.wait_for_function(f"() => document.querySelector('.scroller') && Math.abs({PLACE} - {before}) < 12")


@FACES
async def test_the_way_to_the_end_is_shown_to_whoever_is_away_from_it(alice: Page, face: str) -> None:
    way = alice.locator(".newer")
    await alice.goto(f"{face}/")
    await alice.fill("#content", "Tell me in pieces [[tokens=700 rate=120 first=100 text=markdown]]")
    await alice.keyboard.press("Enter")
    await alice.wait_for_function(f"() => document.querySelector('.thread') && {HEIGHT} > 1500")
    await expect(way).to_be_hidden()
    await scroll_to(alice, -600)
    await expect(way).to_contain_text("New text")
    await expect(alice.locator(".from-assistant .tools")).to_be_attached(timeout=20_000)
    await way.click()
    await expect(way).to_be_hidden()
    await scroll_to(alice, -600)
    await expect(way).to_be_visible()
    await expect(way.locator("text=New text >> visible=true")).to_have_count(0)

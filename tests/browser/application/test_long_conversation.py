"""Of a long conversation only what is near is in the document; nobody who reads or writes notices."""

import asyncio

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.chromium import OpenPage, register
from tests.browser.servers import LiveServer
from tests.browser.test_islands import told

pytestmark = pytest.mark.browser

ANSWERS = [f"Answer {number}. " + "Tea " * (40 + number % 90) for number in range(150)]
IN_THE_MIDDLE = """() => [...document.querySelectorAll(".message")].find(message => {
  const { top, bottom } = message.getBoundingClientRect();
  return bottom > 300 && top < 500;
})?.id"""
TOP = """id => document.getElementById(id).getBoundingClientRect().top"""


@pytest_asyncio.fixture(loop_scope="session")
async def page(open_page: OpenPage, live_server: LiveServer) -> Page:
    page = await open_page()
    path = await told(live_server, await register(page), *ANSWERS)
    await page.goto(f"/app{path}")
    await expect(page.locator(".message").last).to_contain_text("Answer 149.")
    return page


async def scroll_to_the_beginning(page: Page) -> None:
    await page.mouse.move(700, 300)
    async with asyncio.timeout(20):
        while not await page.locator(".message", has_text="Answer 0.").count():
            await page.mouse.wheel(0, -1200)
            await page.wait_for_timeout(30)


async def test_all_of_it_can_be_read_and_little_of_it_is_there(page: Page) -> None:
    seen: set[str] = set()
    await page.mouse.move(700, 300)
    for _ in range(400):
        texts = await page.locator(".from-assistant .prose").all_inner_texts()
        seen |= {text.split(".")[0] for text in texts}
        if "Answer 0" in seen:
            break
        await page.mouse.wheel(0, -900)
        await page.wait_for_timeout(40)
        await page.wait_for_function(IN_THE_MIDDLE)  # a busy machine draws later
    assert seen == {f"Answer {number}" for number in range(150)}
    assert await page.locator(".message").count() < 80


async def test_what_one_reads_stays_where_it_is(page: Page) -> None:
    await scroll_to_the_beginning(page)
    await page.mouse.wheel(0, 4000)
    await page.wait_for_timeout(400)
    # Whatever is below and above of it goes and comes.
    message = await (await page.wait_for_function(IN_THE_MIDDLE)).json_value()
    before = await page.evaluate(TOP, message)
    await page.wait_for_timeout(700)
    assert await page.evaluate(TOP, message) == before
    await page.mouse.wheel(0, 120)
    await page.wait_for_timeout(500)
    assert abs(await page.evaluate(TOP, message) - (before - 120)) <= 2


async def test_an_address_leads_to_a_message_far_up(page: Page) -> None:
    await scroll_to_the_beginning(page)
    identity = await page.locator(".message", has_text="Answer 3.").get_attribute("id")
    await page.goto(f"{page.url.partition('#')[0]}#{identity}")
    await page.reload()
    await expect(page.locator(f"#{identity}")).to_be_in_viewport(timeout=10_000)
    await page.wait_for_timeout(700)
    await expect(page.locator(f"#{identity}")).to_be_in_viewport()


async def test_what_is_being_edited_stays(page: Page) -> None:
    await page.locator(".from-user").last.hover()
    await page.locator(".from-user [aria-label=Edit]").last.click()
    await page.locator(".editor textarea").fill("Half a thought")
    await page.locator(".scroller").focus()
    await scroll_to_the_beginning(page)
    await page.evaluate("document.querySelector('.scroller').scrollTop = 0")
    await expect(page.locator(".editor textarea")).to_have_value("Half a thought")

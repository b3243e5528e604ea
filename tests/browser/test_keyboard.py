"""The whole way from the first page to the last by keys alone; where the focus stands is seen at every stop."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import OpenPage
from tests.browser.keys import Keys

pytestmark = pytest.mark.browser

PATHS = ["/", "/settings", "/settings/keys", "/settings/devices", "/archived", "/search?q=tea"]
ANSWER = "How is tea made? [[tokens=40 rate=20 first=50]]"


async def registered(page: Page, name: str) -> Keys:
    keys = Keys(page)
    await page.goto("/register")
    await keys.arrives("#username")
    await keys.type(name)
    for field, text in (("#email", f"{name}@example.org"), ("#password", "a long password")):
        await keys.to(field)
        await keys.type(text)
    await keys.press("Enter")
    await page.wait_for_url("/")
    await keys.arrives("#content")
    return keys


@pytest.mark.timeout(180)
async def test_everything_that_matters_is_done_by_keys_alone(open_page: OpenPage) -> None:
    page = await open_page()
    keys = await registered(page, "keys1")
    await ask_stop_and_ask_again(page, keys)
    await choose_the_first_and_edit_the_question(page, keys)
    await rename(page, keys, "Tea for keys")
    await begin_another_and_find_the_first(page, keys, "Tea for keys")
    await delete_and_undo(page, keys)
    await settings_and_sign_out(page, keys)


async def ask_stop_and_ask_again(page: Page, keys: Keys) -> None:
    await keys.type(ANSWER)
    await keys.press("Enter")
    await page.wait_for_url("**/c/*")
    await expect(page.locator(".from-assistant .open p")).to_be_visible()
    await keys.press("Escape")
    await expect(page.locator(".cut")).to_contain_text("Stopped.")
    await keys.use("[aria-label='Another answer']")
    await expect(page.locator(".branches .number")).to_have_text("2 of 2")
    await expect(page.locator(".poller")).to_have_count(0, timeout=15_000)


async def choose_the_first_and_edit_the_question(page: Page, keys: Keys) -> None:
    await keys.use("[aria-label='Previous version']")
    await expect(page.locator(".branches .number")).to_have_text("1 of 2")
    await expect(page.locator(".cut")).to_be_visible()
    await keys.use(".from-user a[href$='/edit']", back=True)
    await keys.arrives("form.edit textarea")
    await keys.press("Control+A")
    await keys.type("And green tea? [[tokens=5]]")
    await keys.press("Enter")
    await expect(page.locator(".said")).to_have_text("And green tea? [[tokens=5]]")
    await expect(page.locator(".from-user .branches .number")).to_have_text("2 of 2")
    await expect(page.locator(".poller")).to_have_count(0)


async def rename(page: Page, keys: Keys, title: str) -> None:
    await keys.use("[data-rename]")
    await keys.arrives("#heading input[name=title]")
    await keys.press("Control+A")
    await keys.type(title)
    await keys.press("Enter")
    await expect(page.locator("#heading h1")).to_have_text(title)
    await expect(page.locator("#conversations [aria-current]")).to_have_text(re.compile(title))


async def begin_another_and_find_the_first(page: Page, keys: Keys, title: str) -> None:
    first = page.url
    await keys.use("a.new")
    await page.wait_for_url("/")
    await keys.arrives("#content")
    await keys.type("Something else [[tokens=4]]")
    await keys.press("Enter")
    await page.wait_for_url("**/c/*")
    await expect(page.locator(".poller")).to_have_count(0)
    await keys.press("Control+k")
    await keys.arrives("#find")
    await keys.type("for keys")
    await expect(page.locator("#conversations li")).to_have_count(1)
    await keys.use("#conversations li a")
    await page.wait_for_url(first)
    await expect(page.locator("#heading h1")).to_have_text(title)
    await keys.press("Alt+ArrowUp")
    await page.wait_for_function("there => location.href !== there", arg=first)
    await keys.press("Alt+ArrowDown")
    await page.wait_for_url(first)


async def delete_and_undo(page: Page, keys: Keys) -> None:
    conversation = page.url
    await keys.use("[popovertarget=conversation-menu]")
    await keys.use("#conversation-menu .danger")
    await expect(page.locator("#notice .notice")).to_be_visible()
    assert page.url != conversation
    await keys.use("#notice button")
    await page.wait_for_url(conversation)


async def settings_and_sign_out(page: Page, keys: Keys) -> None:
    await keys.use("[popovertarget=account]")
    await keys.use("#account a[href='/settings']")
    await page.wait_for_url("/settings")
    await keys.use("button[name=theme][value=dark]")
    await expect(page.locator("html[data-theme=dark]")).to_have_count(1)
    await keys.use("[popovertarget=account]")
    await keys.use("#account form button")
    await page.wait_for_url("/login")


async def test_the_keys_are_listed_where_one_asks_for_them(open_page: OpenPage) -> None:
    page = await open_page()
    keys = await registered(page, "keys2")
    await keys.press("?")
    assert await page.input_value("#content") == "?", "whoever writes gets the letter"
    await keys.press("Alt+ArrowDown")
    assert page.url.endswith("/"), "and the arrows"
    await keys.press("Backspace")
    await keys.to("a.new")
    await keys.press("?")
    await expect(page.locator("#dialog")).to_be_visible()
    await keys.press("Escape")
    await expect(page.locator("#dialog")).to_be_hidden()
    assert await keys.is_at("a.new"), "the focus is where it was"
    await keys.press("/")
    await keys.arrives("#content")


async def test_the_first_stop_leads_past_the_list(open_page: OpenPage) -> None:
    page = await open_page()
    keys = await registered(page, "keys3")
    await page.goto("/settings")
    await keys.press("Tab")
    assert await keys.is_at(".skip")
    await keys.seen()
    await keys.press("Enter", "Tab")
    assert await page.evaluate("document.activeElement.closest('main') !== null")
    await keys.seen()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["/", "/settings", "/settings/keys", "/settings/devices", "/archived", "/search?q=tea"]
)
async def test_every_stop_of_a_page_is_seen(path: str, theme: str, open_page: OpenPage) -> None:
    page = await open_page(color_scheme=theme)
    name = re.sub(r"\W", "", f"stops{path}{theme}")
    keys = await registered(page, name)
    await page.goto(path)
    stops = []
    for _ in range(80):
        await keys.press("Tab")
        stops.append(await keys.seen())
        if stops.count("body") > 1 or stops.count(stops[0]) > 1:
            break
    assert len(set(stops)) > 5, stops

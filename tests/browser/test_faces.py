"""Pages and application are one product: from either to the other, and each does what the other does."""

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.chromium import OpenPage, register
from tests.browser.test_live import ask, path_of

pytestmark = pytest.mark.browser

FACES = pytest.mark.parametrize("face", ["", "/app"], ids=["pages", "application"])


@pytest_asyncio.fixture(loop_scope="session")
async def asked(alice: Page) -> Page:
    """On the pages, in a conversation."""
    await alice.goto("/")
    await ask(alice, "Tea? [[tokens=5]]")
    await expect(alice.locator(".from-assistant .tools")).to_have_count(1)
    return alice


async def test_from_one_face_to_the_other_and_the_choice_is_remembered(asked: Page) -> None:
    path = path_of(asked)
    await asked.click("button.who")
    await asked.click("#account >> text=App")
    await asked.wait_for_url(f"**/app{path}")
    await expect(asked.locator(".from-user")).to_contain_text("Tea?")
    await asked.goto("/")
    await asked.wait_for_url("**/app/")
    await asked.goto(f"/app{path}")
    await asked.click(".account-menu")
    await asked.click(".menu-panel >> text=Classic")
    await asked.wait_for_url(f"**{path}")
    assert "/app/" not in asked.url
    await asked.goto("/")
    await expect(asked.locator("#conversations")).to_be_visible()
    assert "/app/" not in asked.url


@FACES
async def test_a_row_has_its_menu(asked: Page, face: str) -> None:
    path = path_of(asked)
    await asked.goto(f"{face}/")
    row = asked.locator(".conversations li:has(a[href])").first
    await row.hover()
    await row.get_by_label("More for").click()
    await asked.get_by_text("Pin", exact=True).last.click()
    await expect(asked.locator(".conversations h2").first).to_have_text("Pinned")
    await row.hover()
    await row.get_by_label("More for").click()
    await asked.get_by_text("Rename", exact=True).last.click()
    await asked.locator("main input:not([type=hidden]), .bar input:not([type=hidden])").first.fill("Green")
    await asked.keyboard.press("Enter")
    await asked.wait_for_url(f"**{face}{path}")
    await expect(asked.locator(".bar h1")).to_have_text("Green")
    await asked.goto(f"{face}/settings")
    await row.hover()
    await row.get_by_label("More for").click()
    await asked.get_by_text("Delete", exact=True).last.click()
    await expect(asked.locator(".conversations li a[href*='/c/']")).to_have_count(0)
    await asked.get_by_text("Undo").click()
    await expect(asked.locator(".conversations li").get_by_text("Green")).to_be_visible()


@FACES
async def test_the_tools_of_the_newest_answer_are_always_in_sight(asked: Page, face: str) -> None:
    await ask(asked, "Again? [[tokens=5]]")
    await expect(asked.locator(".from-assistant .tools")).to_have_count(2)
    await asked.goto(face + path_of(asked))
    tools = asked.locator(".from-assistant .tools > :not(.branches):first-child")
    await expect(tools).to_have_count(2)
    await asked.mouse.move(5, 5)
    await expect(tools.last).to_have_css("opacity", "1")
    await expect(tools.first).to_have_css("opacity", "0")


@FACES
async def test_the_sign_in_page_speaks_both_languages(open_page: OpenPage, face: str) -> None:
    page = await open_page(allowed=("status of 401",))
    await register(page)
    await page.context.clear_cookies()
    await page.goto(f"{face}/login")
    await page.click("text=简体中文")
    await expect(page.locator("h1")).to_have_text("登录")
    await page.reload()
    await expect(page.locator("h1")).to_have_text("登录")
    await page.click("text=English")
    await expect(page.locator("h1")).to_have_text("Sign in")


@FACES
async def test_what_is_wrong_comes_into_view_and_has_the_focus(open_page: OpenPage, face: str) -> None:
    page = await open_page(allowed=("status of 4",))
    await register(page)
    await page.set_viewport_size({"width": 390, "height": 420})
    await page.goto(f"{face}/settings")
    current = page.get_by_label("Current password")
    await current.fill("not it at all")
    await page.get_by_label("New password").fill("another long password")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("The current password is wrong.")).to_be_in_viewport()
    await expect(page.locator("form:has([name=current_password]) :focus, .form-error:focus")).to_be_in_viewport()

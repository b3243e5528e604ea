"""Where the focus is after menus and dialogs, and what notices do, in the application."""

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.application.conftest import ask, watch_to_end
from tests.browser.test_chat import expected_of

pytestmark = pytest.mark.browser

SHORT = "Tea? [[tokens=5]]"
TOOLS = ".from-assistant .tools [aria-haspopup=menu]"
INSIDE = "() => Boolean(document.activeElement.closest('[role=dialog]'))"


@pytest_asyncio.fixture(loop_scope="session")
async def asked(alice: Page) -> Page:
    await ask(alice, SHORT)
    await watch_to_end(alice, expected_of(SHORT))
    return alice


async def test_a_menu_is_walked_by_keys_and_gives_the_focus_back(asked: Page) -> None:
    opener = asked.locator(TOOLS)
    for _ in range(2):  # the second time it is there already
        await opener.focus()
        await asked.keyboard.press("Enter")
        items = asked.get_by_role("menuitem")
        await expect(items.first).to_be_focused()
        await asked.keyboard.press("ArrowDown")
        await expect(items.nth(1)).to_be_focused()
        await asked.keyboard.press("Escape")
        await expect(items).to_have_count(0)
        await expect(opener).to_be_focused()


@pytest.mark.parametrize("ending", ["Escape", "Keep it"])
async def test_a_dialog_keeps_the_focus_and_gives_it_back(asked: Page, ending: str) -> None:
    opener = asked.locator(TOOLS)
    await opener.focus()
    await asked.keyboard.press("Enter")
    await expect(asked.get_by_role("menuitem").first).to_be_focused()
    await asked.keyboard.press("ArrowUp")
    await expect(asked.get_by_role("menuitem", name="Delete from here on")).to_be_focused()
    await asked.keyboard.press("Enter")
    dialog = asked.get_by_role("dialog", name="Delete from here on")
    await expect(dialog.get_by_role("button").first).to_be_focused()
    for key in ["Tab"] * 3 + ["Shift+Tab"] * 3:
        await asked.keyboard.press(key)
        assert await asked.evaluate(INSIDE)
    if ending == "Escape":
        await asked.keyboard.press(ending)
    else:
        await dialog.get_by_role("button", name=ending).click()
    await expect(dialog).to_have_count(0)
    await expect(opener).to_be_focused()


async def test_renaming_from_the_menu_leads_into_the_title(asked: Page) -> None:
    await asked.locator(".bar [aria-haspopup=menu]").focus()
    await asked.keyboard.press("Enter")
    await expect(asked.get_by_role("menuitem", name="Rename")).to_be_focused()
    await asked.keyboard.press("Enter")
    await expect(asked.get_by_role("menu")).to_have_count(0)
    await asked.keyboard.type("Oolong")
    await asked.keyboard.press("Enter")
    await expect(asked.locator(".bar-title")).to_have_text("Oolong")


async def test_a_notice_is_announced_covers_no_composer_and_ends(asked: Page) -> None:
    for width in (1280, 390):
        await asked.set_viewport_size({"width": width, "height": 700})
        await asked.locator(TOOLS).click()
        await asked.get_by_role("menuitem", name="Copy a link to this message").click()
        notice = asked.get_by_role("alert").filter(has_text="Copied")
        await expect(notice).to_be_visible()
        box, dock = await notice.bounding_box(), await asked.locator(".dock").bounding_box()
        bar = await asked.locator(".bar").bounding_box()
        assert box and dock and bar
        assert bar["y"] + bar["height"] <= box["y"] and box["y"] + box["height"] < dock["y"]
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
        await expect(notice).to_have_count(0, timeout=6_500)


async def test_the_theme_is_chosen_by_arrows(alice: Page) -> None:
    await alice.goto("/app/settings")
    choice = alice.get_by_role("radiogroup", name="Theme")
    await choice.get_by_role("radio", name="Light").focus()
    await alice.keyboard.press("ArrowRight")
    await expect(choice.get_by_role("radio", name="Dark")).to_be_checked()
    assert await alice.evaluate("document.documentElement.dataset.theme") == "dark"


async def test_tabs_are_walked_by_arrows_and_have_addresses(alice: Page) -> None:
    await alice.goto("/app/settings")
    await alice.get_by_role("tab", name="Account").focus()
    await alice.keyboard.press("ArrowRight")
    await expect(alice.get_by_role("heading", name="API keys")).to_be_visible()
    await alice.wait_for_url("**/app/settings/keys")
    await alice.go_back()
    await expect(alice.get_by_role("tab", name="Account")).to_have_attribute("aria-selected", "true")

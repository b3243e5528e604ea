"""What was typed and not sent: one draft on both faces, of one person, until they sign out."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.application.conftest import ask, watch_to_end
from tests.browser.chromium import OpenPage, register, sign_up
from tests.browser.test_chat import expected_of
from tests.web.visitor import token_in

pytestmark = pytest.mark.browser

FACES = {"pages": "/", "application": "/app/"}
STORED = "JSON.stringify(localStorage)"
SECRET = "Nobody else may read this"


async def sign_in(page: Page, name: str, path: str) -> None:
    await page.goto(f"{path}login")
    await page.fill("#username", name)
    await page.fill("#password", "a long password")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#content")


async def sign_out(page: Page, face: str) -> None:
    if face == "pages":
        await page.click(".who")
        await page.click("#account >> text=Sign out")
    else:
        await page.click(".account-menu")
        await page.click(".menu-panel >> text=Sign out")
    await page.wait_for_url("**/login*")


async def two_people(open_page: OpenPage) -> tuple[Page, str, str]:
    """Both have an account, the first is signed in."""
    page = await open_page(allowed=("status of 401",))
    second = await sign_up(page)
    await page.context.clear_cookies()
    return page, await sign_up(page), second


async def test_drafts_are_kept_where_they_were_typed(alice: Page) -> None:
    await ask(alice, "Tea? [[tokens=5]]")
    await watch_to_end(alice, expected_of("Tea? [[tokens=5]]"))
    await alice.fill("#content", "Half a thought")
    await alice.wait_for_timeout(500)
    await alice.click(".sidebar .new")
    assert await alice.input_value("#content") == ""
    await alice.click(".conversations .row a")
    await expect(alice.locator("#content")).to_have_value("Half a thought")


async def test_both_faces_have_one_draft(alice: Page) -> None:
    await ask(alice, "Tea? [[tokens=5]]")
    await watch_to_end(alice, expected_of("Tea? [[tokens=5]]"))
    conversation = alice.url
    await alice.fill("#content", "Begun in the application")
    await alice.goto(conversation.replace("/app/", "/"))
    await expect(alice.locator("#content")).to_have_value("Begun in the application")
    await alice.fill("#content", "Gone on with on the pages")
    await alice.goto(conversation)
    await expect(alice.locator("#content")).to_have_value("Gone on with on the pages")
    await alice.keyboard.press("Enter")
    await expect(alice.locator(".from-user")).to_have_count(2)
    await alice.goto(conversation.replace("/app/", "/"))
    await expect(alice.locator("#content")).to_have_value("")


@pytest.mark.parametrize("read", FACES)
@pytest.mark.parametrize("typed", FACES)
async def test_the_next_person_finds_nothing_of_who_signed_out(open_page: OpenPage, typed: str, read: str) -> None:
    page, first, second = await two_people(open_page)
    await page.goto(FACES[typed])
    await page.fill("#content", SECRET)
    await sign_out(page, typed)
    await page.wait_for_selector("#username")
    assert SECRET not in await page.evaluate(STORED)
    for name in (second, first):
        await sign_in(page, name, FACES[read])
        await expect(page.locator("#content")).to_have_value("")
        await page.context.clear_cookies()


@pytest.mark.parametrize("other", FACES)
@pytest.mark.parametrize("face", FACES)
async def test_another_window_keeps_nothing_of_who_signed_out(open_page: OpenPage, face: str, other: str) -> None:
    page, _, second = await two_people(open_page)
    await page.goto(FACES[face])
    window = await page.context.new_page()
    await window.goto(FACES[other])
    await window.fill("#content", SECRET)
    await sign_out(page, face)
    await window.wait_for_url("**/login*")
    await sign_in(window, second, FACES[other])
    await expect(window.locator("#content")).to_have_value("")
    assert SECRET not in await window.evaluate(STORED)


@pytest.mark.parametrize("face", FACES)
async def test_who_signed_out_without_a_script_left_nothing_either(open_page: OpenPage, face: str) -> None:
    page, *_ = await two_people(open_page)
    await page.goto("/app/")
    await page.fill("#content", SECRET)
    token = token_in(await (await page.request.get("/")).text())
    await page.request.post("/logout", form={"csrf_token": token})
    assert SECRET in await page.evaluate(STORED)
    await page.goto(f"{FACES[face]}login")
    await page.wait_for_selector("#username")
    assert SECRET not in await page.evaluate(STORED)


@pytest.mark.parametrize("face", FACES)
async def test_a_session_that_ended_keeps_the_draft_for_its_writer_alone(open_page: OpenPage, face: str) -> None:
    page, first, second = await two_people(open_page)
    await page.goto(FACES[face])
    await page.fill("#content", SECRET)
    await page.wait_for_timeout(500)
    await page.context.clear_cookies()
    await sign_in(page, second, FACES[face])
    await expect(page.locator("#content")).to_have_value("")
    await sign_out(page, face)
    await sign_in(page, first, FACES[face])
    await expect(page.locator("#content")).to_have_value(SECRET)


async def test_an_edit_survives_the_end_of_a_sign_in(open_page: OpenPage) -> None:
    page, first, _ = await two_people(open_page)
    await page.goto("/app/")
    await ask(page, "Tea? [[tokens=5]]")
    await watch_to_end(page, expected_of("Tea? [[tokens=5]]"))
    await page.locator(".from-user").hover()
    await page.get_by_role("button", name="Edit", exact=True).click()
    await page.fill("#edited", SECRET)
    conversation = page.url
    await page.context.clear_cookies()
    await sign_in(page, first, "/app/")
    await page.goto(conversation)
    await expect(page.locator("#edited")).to_have_value(SECRET)
    await page.click(".editor >> text=Send")
    await expect(page.locator(".said")).to_contain_text(SECRET)
    assert SECRET not in await page.evaluate(STORED)


async def test_a_draft_of_an_earlier_version_says_not_whose_it_is(open_page: OpenPage) -> None:
    page = await open_page()
    await register(page)
    await page.evaluate("text => localStorage.setItem('teahouse-draft:new', text)", SECRET)
    await page.goto("/app/")
    await expect(page.locator("#content")).to_have_value("")
    assert SECRET not in await page.evaluate(STORED)


async def test_who_signs_in_in_a_window_that_stayed_open_sees_their_own_list(open_page: OpenPage) -> None:
    page, _, second = await two_people(open_page)
    await page.goto("/app/")
    await ask(page, "Oolong or green? [[tokens=5]]")
    await expect(page.locator(".conversations .row")).to_have_count(1)
    await page.click("a.new")
    other = await page.context.new_page()
    await other.goto("/app/")
    await other.wait_for_selector("#content")
    await sign_out(other, "application")
    await page.wait_for_url("**/app/login**")
    await page.fill("#username", second)
    await page.fill("#password", "a long password")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#content")
    await expect(page.locator(".conversations .row")).to_have_count(0)


async def test_a_deleted_account_leaves_no_draft(open_page: OpenPage) -> None:
    page, first, _ = await two_people(open_page)
    await page.goto("/app/")
    await page.fill("#content", SECRET)
    await page.goto("/app/settings")
    await page.get_by_role("button", name="Delete my account").click()
    await page.fill(".dialog input", first)
    await page.click(".dialog .danger")
    await page.wait_for_url("**/app/login*")
    assert SECRET not in await page.evaluate(STORED)

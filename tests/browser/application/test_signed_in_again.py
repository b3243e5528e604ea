"""The server has ended the session while somebody was at work: they sign in again where they were."""

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser.application.conftest import OpenApplication, ask, watch_to_end
from tests.browser.servers import LiveServer
from tests.browser.test_chat import expected_of

pytestmark = pytest.mark.browser

ALLOWED = ("status of 401", "ERR_FAILED", "ERR_ABORTED")
PASSWORD = "a long password"


async def end_the_session(page: Page, live_server: LiveServer) -> None:
    """As somebody does who left a computer open elsewhere."""
    name = await page.inner_text(".account-menu .name")
    async with httpx.AsyncClient(base_url=f"{live_server.url}/api/v1", timeout=15, verify=False) as elsewhere:
        login = await elsewhere.post("/auth/login", data={"username": name, "password": PASSWORD})
        elsewhere.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
        for session in (await elsewhere.get("/auth/sessions")).json()["items"]:
            if not session["current"]:
                assert (await elsewhere.delete(f"/auth/sessions/{session['id']}")).status_code == 204


async def expect_cover(page: Page) -> None:
    """Nothing of the page can be seen or reached."""
    await expect(page.locator("dialog.cover")).to_be_visible(timeout=30_000)
    corners = "() => [[1, 1], [innerWidth - 2, 1], [1, innerHeight - 2], [innerWidth / 2, innerHeight / 2]]"
    at = "([x, y]) => Boolean(document.elementFromPoint(x, y)?.closest('dialog.cover'))"
    assert await page.evaluate(f"() => ({corners})().every({at})")


async def sign_in_again(page: Page, password: str = PASSWORD) -> None:
    await page.fill("dialog.cover [name=password]", password)
    await page.keyboard.press("Enter")


async def make_the_key(page: Page) -> None:
    """Whether or not the window has noticed already."""
    await page.get_by_role("button", name="Make the key", include_hidden=True).dispatch_event("click")


async def test_a_form_that_was_being_filled_in_is_sent_after_all(
    open_application: OpenApplication, live_server: LiveServer
) -> None:
    page = await open_application(allowed=ALLOWED)
    await page.goto("/app/settings/keys")
    await page.fill("[name=name]", "backup script")
    await end_the_session(page, live_server)
    await make_the_key(page)
    await expect_cover(page)
    for _ in range(3):
        await page.keyboard.press("Escape")
    await expect_cover(page)
    await sign_in_again(page, "a guess at it")
    await expect(page.locator("dialog.cover .form-error")).to_be_visible()
    await sign_in_again(page)
    await expect(page.locator("dialog.cover")).to_have_count(0)
    await expect(page.locator(".secret")).to_contain_text("th_")
    await expect(page.locator(".entry")).to_contain_text("backup script")


async def test_an_answer_goes_on_where_it_was(open_application: OpenApplication, live_server: LiveServer) -> None:
    page = await open_application(allowed=ALLOWED)
    prompt = "Slowly [[tokens=60 rate=10]]"
    await ask(page, prompt)
    await expect(page.locator(".from-assistant .prose p").first).to_be_visible()
    await page.fill("#content", "half a quest")
    await end_the_session(page, live_server)
    await expect_cover(page)
    await sign_in_again(page)
    await watch_to_end(page, expected_of(prompt))
    await expect(page.locator("#content")).to_have_value("half a quest")


async def test_signing_in_once_is_enough_for_every_window(
    open_application: OpenApplication, live_server: LiveServer
) -> None:
    page = await open_application(allowed=ALLOWED)
    await page.goto("/app/settings/keys")
    await page.fill("[name=name]", "backup script")
    other = await page.context.new_page()
    await other.goto("/app/settings/keys")
    await other.fill("[name=name]", "second script")
    await end_the_session(page, live_server)
    for window in (page, other):
        await make_the_key(window)
        await expect_cover(window)
    await sign_in_again(page)
    await expect(other.locator("dialog.cover")).to_have_count(0)
    await expect(other.locator(".secret")).to_contain_text("th_")


async def test_somebody_else_finds_nothing(open_application: OpenApplication, live_server: LiveServer) -> None:
    page = await open_application(allowed=ALLOWED)
    await ask(page, "Oolong? [[tokens=5]]")
    await expect(page.locator(".conversations .row")).to_have_count(1)
    await end_the_session(page, live_server)
    await page.goto("/app/settings/keys")
    await page.wait_for_url("**/app/login?next=/settings/keys")
    assert "Oolong" not in await page.content()


async def test_whoever_is_not_the_one_who_was_there_goes_to_the_sign_in_page(
    open_application: OpenApplication, live_server: LiveServer
) -> None:
    page = await open_application(allowed=ALLOWED)
    await ask(page, "Oolong? [[tokens=5]]")
    await expect(page.locator(".conversations .row")).to_have_count(1)
    await end_the_session(page, live_server)
    await expect_cover(page)
    await page.click("text=Sign in as somebody else")
    await page.wait_for_url("**/app/login?next=/c/*")
    await expect(page.locator("dialog.cover")).to_have_count(0)
    assert "Oolong" not in await page.content()

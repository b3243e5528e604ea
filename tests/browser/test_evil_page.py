"""What a page of somebody else, open in another tab, can do with its visitor's Teahouse. (A01, A30)"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.attackers.pages import EvilSite, evil_site
from tests.browser.chromium import OpenPage, register
from tests.browser.servers import LiveServer

pytestmark = pytest.mark.browser

PATHS = ["/", "/settings", "/settings/keys", "/app/", "/api/v1/auth/me", "/api/v1/conversations"]
POSTS = {
    "/": {"content": "sent by an evil page", "idempotency_key": "an-evil-key"},
    "/settings/email": {"email": "evil@example.org"},
    "/settings/language": {"locale": "zh-CN"},
    "/settings/keys": {"name": "evil", "scopes": "read", "expires": "never"},
    "/settings/devices/others/sign-out": {},
    "/login": {"username": "evil", "password": "a long password"},
    "/logout": {},
    "/api/v1/conversations": {"title": "made by an evil page"},
    "/api/v1/auth/api-keys": {"name": "evil"},
    "/api/v1/auth/refresh": {},
    "/api/v1/auth/logout": {},
    "/api/v1/auth/login": {"username": "evil", "password": "a long password"},
}


@pytest_asyncio.fixture(loop_scope="session", params=["localhost", "127.0.0.1"])
async def site(request: pytest.FixtureRequest, live_server: LiveServer) -> AsyncIterator[EvilSite]:
    async with evil_site(request.param, EvilSite(live_server.url, PATHS, POSTS)) as site:
        yield site


@pytest_asyncio.fixture(loop_scope="session")
async def alice(open_page: OpenPage) -> Page:
    page = await open_page(allowed=("",))  # what is refused to the other tab is told in the console, too
    await register(page)
    return page


async def assert_unharmed(alice: Page) -> None:
    await alice.goto("/settings/keys")
    await expect(alice.locator("html")).to_have_attribute("lang", "en")
    await expect(alice.locator(".nothing")).to_be_visible()
    await alice.goto("/settings")
    assert "evil" not in await alice.locator("#email").input_value()
    await alice.goto("/")
    await expect(alice.locator("body")).not_to_contain_text("evil")


async def test_forms_that_send_themselves_do_nothing(alice: Page, site: EvilSite) -> None:
    evil = await alice.context.new_page()
    await evil.goto(f"{site.url}/forms", wait_until="load")
    await evil.wait_for_load_state("networkidle")
    assert len(evil.frames) == 1 + len(POSTS)
    await assert_unharmed(alice)


async def test_scripts_read_nothing_and_do_nothing(alice: Page, site: EvilSite) -> None:
    evil = await alice.context.new_page()
    await evil.goto(f"{site.url}/scripts")
    await evil.wait_for_function("window.finished")
    results: dict[str, str] = await evil.evaluate("results")
    assert len(results) == len(PATHS) + 3 * len(POSTS)
    read = {name for name, value in results.items() if value not in ("refused", "sent")}
    assert read == set(), "what an answer says is kept from it"
    await assert_unharmed(alice)


async def test_no_page_is_shown_in_a_frame(alice: Page, site: EvilSite) -> None:
    evil = await alice.context.new_page()
    await evil.goto(f"{site.url}/frames", wait_until="load")
    shown = [frame.url for frame in evil.frames[1:]]
    assert len(shown) == len(PATHS)
    assert [url for url in shown if not url.startswith("chrome-error:")] == []


async def test_a_window_that_it_opens_is_out_of_its_reach(alice: Page, site: EvilSite) -> None:
    evil = await alice.context.new_page()
    await evil.goto(f"{site.url}/frames")
    async with alice.context.expect_page() as opened:
        await evil.evaluate(f"window.opened = window.open({site.target + '/settings'!r}); 0")
    await (await opened.value).wait_for_load_state()
    await evil.wait_for_function("() => opened.closed")  # it has no handle: Cross-Origin-Opener-Policy
    assert await (await opened.value).evaluate("window.opener") is None

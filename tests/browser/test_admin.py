"""The administrators' pages in a real browser: a download that moves, stops and fails; jobs that refresh themselves."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.chromium import OpenPage, register
from tests.browser.servers import LiveServer, model_process, teahouse_process

pytestmark = pytest.mark.browser

PATHS = ["/admin", "/admin/users", "/admin/users/new", "/admin/invites", "/admin/models", "/admin/jobs"]


@pytest.fixture(scope="module")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of these tests alone: who registers first administers it. Downloads take three seconds."""
    data_dir: Path = tmp_path_factory.mktemp("administered") / "data"
    slow = ("tests.browser.markdown", "--pull-delay", "0.2")
    with model_process(*slow) as model_url, teahouse_process(data_dir, model_url) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def dana(open_page: OpenPage, live_server: LiveServer) -> Page:
    return await administrator(await open_page())


async def administrator(page: Page) -> Page:
    """Signed in; made at the first call."""
    await page.goto("/login")
    if page.url.endswith("/register"):
        await page.fill("#username", "dana")
        await page.fill("#email", "dana@example.org")
        await page.fill("#password", "a long password")
        await page.click("text=Create account")
    else:
        await page.fill("#username", "dana")
        await page.fill("#password", "a long password")
        await page.keyboard.press("Enter")
    await page.wait_for_url("/")
    return page


async def pull(page: Page, name: str) -> None:
    await page.goto("/admin/models")
    await page.fill("#name", name)
    await page.click(".fetch button")


async def test_a_download_moves_and_ends_as_a_model(dana: Page) -> None:
    await pull(dana, "new-one:1b")
    bar = dana.locator("progress[max]")
    await expect(bar).to_be_visible()
    await expect(bar).to_have_attribute("max", "100000000")
    first = int(await bar.get_attribute("value") or 0)
    await dana.wait_for_function("seen => document.querySelector('progress')?.value > seen", arg=first)
    await expect(dana.locator("progress")).to_have_count(0)
    await expect(dana.locator('a[href$="/show?id=ollama/new-one%3A1b"]')).to_be_visible()
    await expect(dana.locator(".refresher")).to_have_count(0)


async def test_what_is_typed_and_focused_is_left_alone_while_a_download_moves(dana: Page) -> None:
    await pull(dana, "another:1b")
    await expect(dana.locator("progress[max]")).to_be_visible()
    await dana.fill("#name", "half a na")
    details = dana.locator('a[href$="/show?id=ollama/scripted%3Alatest"]')
    await details.focus()
    value = int(await dana.locator("progress").get_attribute("value") or 0)
    await dana.wait_for_function("seen => document.querySelector('progress')?.value > seen", arg=value)
    await expect(details).to_be_focused()
    assert await dana.input_value("#name") == "half a na"
    await dana.click("text=Cancel")
    await expect(dana.locator(".refresher")).to_have_count(0)


async def test_a_download_is_cancelled(dana: Page) -> None:
    await pull(dana, "slow:1b")
    await expect(dana.locator("progress[max]")).to_be_visible()
    await dana.click("text=Cancel")
    await expect(dana.locator(".entry", has_text="slow:1b")).to_contain_text("Cancelled")
    await expect(dana.locator('a[href$="id=ollama/slow%3A1b"]')).to_have_count(0)


async def test_a_download_that_fails_says_why(dana: Page) -> None:
    await pull(dana, "missing:1b")
    row = dana.locator(".entry", has_text="missing:1b").first
    await expect(row).to_contain_text("pull model manifest: file does not exist")
    await expect(row.locator("button")).to_have_text("Try again")


async def test_a_download_without_scripts(open_page: OpenPage) -> None:
    page = await administrator(await open_page(scripts=False))
    await pull(page, "quiet:1b")
    for _ in range(40):
        await page.click("text=Look again") if await page.locator("text=Look again").count() else await page.reload()
        if await page.locator('a[href$="/show?id=ollama/quiet%3A1b"]').count():
            break
        await page.wait_for_timeout(200)
    await page.click('a[href$="/delete?id=ollama/quiet%3A1b"]')
    await page.click("button.danger")
    await page.wait_for_url("**/admin/models")
    await expect(page.locator('a[href$="id=ollama/quiet%3A1b"]')).to_have_count(0)


async def test_jobs_refresh_themselves_until_nothing_runs(dana: Page, open_page: OpenPage) -> None:
    alice = await open_page()
    name = await register(alice)
    await alice.fill("#content", "A secret [[tokens=endless rate=20]]")
    await alice.keyboard.press("Enter")
    await alice.wait_for_url("**/c/*")
    await expect(alice.locator(".from-assistant .blocks p").first).to_be_visible()
    await dana.goto("/admin/jobs")
    row = dana.locator(".entry", has_text=name).filter(has_text="Answer")
    await expect(row).to_contain_text("running")
    assert "secret" not in await dana.locator("#jobs").inner_text()
    await dana.evaluate("document.querySelector('#jobs').dataset.same = 'page'")
    await alice.click("#composer .stop")
    await expect(row).to_contain_text("cancelled")
    await expect(dana.locator(".refresher")).to_have_count(0)
    assert await dana.evaluate("document.querySelector('#jobs').dataset.same") == "page"


async def test_a_user_is_invited_by_a_link(dana: Page, open_page: OpenPage) -> None:
    await dana.goto("/admin")
    async with dana.expect_navigation():
        await dana.click("text=By invitation")
    await dana.goto("/admin/invites")
    await dana.click("text=New invitation")
    link = await dana.locator("#invite-link").inner_text()
    guest = await open_page()
    await guest.goto("/login")
    await expect(guest.locator("text=Create one")).to_have_count(0)
    await guest.goto(link)
    await guest.fill("#username", "frank")
    await guest.fill("#email", "frank@example.org")
    await guest.fill("#password", "a long password")
    await guest.click("text=Create account")
    await guest.wait_for_url("/")
    await dana.goto("/admin/users")
    await expect(dana.locator(".entry", has_text="frank@example.org")).to_be_visible()
    await dana.goto("/admin")
    async with dana.expect_navigation():
        await dana.click("text=Everybody")


@pytest.mark.parametrize("path", PATHS)
async def test_nothing_is_wider_than_a_narrow_screen(path: str, open_page: OpenPage) -> None:
    page = await administrator(await open_page(viewport={"width": 390, "height": 800}))
    await page.goto(path)
    assert await page.evaluate("document.querySelector('#main').scrollWidth") <= 390

"""The application at /app/, as `make build` has left it."""

from collections.abc import Awaitable, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Page

from app.http.assets import DIST
from tests.browser.chromium import OpenPage, sign_up
from tests.browser.growth import TEXT, watched
from tests.browser.test_chat import letters

OpenApplication = Callable[..., Awaitable[Page]]


@pytest.fixture(autouse=True, scope="session")
def built() -> None:
    assert (DIST / "index.html").exists(), "run `make build` first"


@pytest.fixture
def open_application(open_page: OpenPage) -> OpenApplication:
    """`await open_application(allowed=…)`: somebody new, signed in as on the pages, in the application."""

    async def open_application(**options: object) -> Page:
        page = await open_page(**options)
        await sign_up(page)
        await page.goto("/app/")
        await page.wait_for_selector("#content")
        return page

    return open_application


@pytest_asyncio.fixture(loop_scope="session")
async def alice(open_application: OpenApplication) -> Page:
    return await open_application()


async def ask(page: Page, text: str) -> None:
    """Sends, and waits for the conversation's own address."""
    await page.fill("#content", text)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/app/c/*")


IS_OVER = "() => !document.querySelector('[aria-busy]') && document.querySelector('.from-assistant .tools')"


async def answer_text(page: Page) -> str:
    return letters(await page.evaluate(TEXT))


async def watch_to_end(page: Page, expected: str, seconds: float = 30) -> list[str]:
    """Every state that was seen: each one a beginning of what is expected, none shorter than before."""
    seen = await watched(page, expected, IS_OVER, letters, seconds)
    assert seen[-1] == await answer_text(page) == expected
    return seen

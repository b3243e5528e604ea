"""The application at /app/, as `make build` has left it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Page

from app.http.assets import DIST
from tests.browser.chromium import OpenPage, register
from tests.browser.test_chat import letters

OpenApplication = Callable[..., Awaitable[Page]]


@pytest.fixture(autouse=True, scope="session")
def built() -> None:
    assert (DIST / "index.html").exists(), "run `make build` first"


@pytest.fixture
def open_application(open_page: OpenPage) -> OpenApplication:
    """`await open_application(allowed=…)`: somebody new, signed in on the pages, in the application."""

    async def open_application(**options: object) -> Page:
        page = await open_page(**options)
        await register(page)
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


# The last answer's text without the headers of code. Not innerText: what is out of sight has none.
TEXT = """() => {
  const copy = [...document.querySelectorAll(".from-assistant .prose")].at(-1)?.cloneNode(true);
  for (const header of copy?.querySelectorAll(".code-header") ?? []) header.remove();
  return copy?.textContent ?? "";
}"""


async def answer_text(page: Page) -> str:
    return letters(await page.evaluate(TEXT))


async def watch_to_end(page: Page, expected: str, seconds: float = 30) -> list[str]:
    """Every state that was seen: each one a beginning of what is expected, none shorter than before."""
    seen = [""]
    async with asyncio.timeout(seconds):
        while await page.locator("[aria-busy]").count() or not await page.locator(".from-assistant .tools").count():
            text = await answer_text(page)
            assert expected.startswith(text), "a gap or a repeat"
            assert len(text) >= len(seen[-1]), "text that was shown has gone"
            if text != seen[-1]:
                seen.append(text)
            await asyncio.sleep(0.05)
    assert await answer_text(page) == expected
    return seen

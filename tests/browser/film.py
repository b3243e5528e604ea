"""`python -m tests.browser.film`: ten pictures of a table that comes at 50 tokens a second, into screenshots/."""

import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from tests.browser.chromium import ARGUMENTS, CHROMIUM, register
from tests.browser.screenshots import FOLDER
from tests.browser.servers import model_process, teahouse_process

PROMPT = "Which teas are there? [[tokens=700 rate=50 first=100 text=table]]"
PICTURES, MILLISECONDS = 10, 400


async def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="teahouse-film-") as folder,
        model_process() as model_url,
        teahouse_process(Path(folder) / "data", model_url) as server,
    ):
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            await film(browser, server.url)
            await browser.close()


async def film(browser: Browser, url: str) -> None:
    page = await browser.new_page(base_url=url, viewport={"width": 800, "height": 620})
    await register(page)
    await page.fill("#content", PROMPT)
    await page.click("button.send")
    await page.locator(".prose.open > p").first.wait_for()
    for number in range(PICTURES):
        await page.screenshot(path=FOLDER / f"film-{number}.png")
        await page.wait_for_timeout(MILLISECONDS)


if __name__ == "__main__":
    asyncio.run(main())

"""The application's shell stays on the device; what the server says does not. A new build is offered, not forced."""

import re
import shutil
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.application.conftest import ask
from tests.browser.application.wire import EXPECTED_FAULTS
from tests.browser.chromium import OpenPage, register, watch
from tests.browser.servers import ROOT, LiveServer, model_process, teahouse_process
from tests.ports import free_port

pytestmark = pytest.mark.browser

KEPT = """async () => {
  const found = [];
  for (const name of await caches.keys())
    for (const { url } of await (await caches.open(name)).keys()) found.push(new URL(url).pathname);
  return found;
}"""
# Installed means that all of the shell is there.
INSTALLED = "navigator.serviceWorker.ready.then(({ active }) => active.scriptURL)"


async def test_only_the_shell_is_kept(open_page: OpenPage) -> None:
    page = await open_page()
    await register(page)
    await page.goto("/app/")
    await page.evaluate(INSTALLED)
    await page.reload()
    assert await page.evaluate("navigator.serviceWorker.controller !== null")
    await ask(page, "Keep this? [[tokens=5]]")
    await expect(page.locator(".from-assistant .tools")).to_be_visible()
    await page.goto("/app/settings")
    await expect(page.locator("h2").first).to_be_visible()
    kept = await page.evaluate(KEPT)
    assert "/app/" in kept and len(kept) > 10
    assert [
        path for path in kept if not re.fullmatch(r"/app/(assets/[\w.-]+|first-paint\.js|teahouse\.svg)?", path)
    ] == []
    # The pages are not the application's.
    await page.goto("/")
    assert await page.evaluate("navigator.serviceWorker.controller === null")


async def test_it_can_be_installed(open_page: OpenPage, live_server: LiveServer) -> None:
    page = await open_page()
    await page.goto("/app/login")
    wire = await page.context.new_cdp_session(page)
    await page.evaluate(INSTALLED)
    manifest = await wire.send("Page.getAppManifest")
    assert manifest["errors"] == []
    errors = (await wire.send("Page.getInstallabilityErrors"))["installabilityErrors"]
    assert [error["errorId"] for error in errors if error["errorId"] != "in-incognito"] == []
    async with httpx.AsyncClient(base_url=live_server.url, verify=False) as client:
        worker = await client.get("/app/sw.js")
        assert (worker.headers["cache-control"], worker.headers["content-type"]) == (
            "no-cache",
            "text/javascript; charset=utf-8",
        )


async def test_without_its_server_it_says_so_and_goes_on_when_it_is_back(browser: Browser, tmp_path: Path) -> None:
    data_dir, port, faults = tmp_path / "data", free_port(), list[str]()
    with model_process() as model_url:
        with teahouse_process(data_dir, model_url, port=port) as server:
            page = await (await browser.new_context(base_url=server.url)).new_page()
            watch(page, server.url, faults, EXPECTED_FAULTS)
            await register(page)
            await page.goto("/app/")
            await page.evaluate(INSTALLED)
            await ask(page, "Before [[tokens=5]]")
            await expect(page.locator(".from-assistant .tools")).to_be_visible()
        await page.reload()
        await expect(page.locator("h1")).to_have_text("The server cannot be reached")
        with teahouse_process(data_dir, model_url, port=port):
            await expect(page.locator(".from-user .said")).to_contain_text("Before", timeout=20_000)
            await page.context.close()
    assert faults == []


def build(root: Path, words: str) -> None:
    """Another build: its page says so, and its worker has another version."""
    dist = root / "frontend-islands" / "dist"
    shutil.copytree(ROOT / "frontend-islands" / "dist", dist, dirs_exist_ok=True)
    page, worker = dist / "index.html", dist / "sw.js"
    page.write_text(page.read_text().replace("</head>", f'<meta name="build" content="{words}"></head>'))
    worker.write_text(re.sub(r'(const VERSION = ")', rf"\1{words}", worker.read_text()))


async def test_a_new_build_is_offered_in_every_tab(browser: Browser, tmp_path: Path) -> None:
    root, data_dir, port, faults = tmp_path / "root", tmp_path / "data", free_port(), list[str]()
    for folder in ("app", "static", "templates"):
        shutil.copytree(ROOT / folder, root / folder)
    with model_process() as model_url:
        build(root, "old")
        with teahouse_process(data_dir, model_url, port=port, root=root) as server:
            context = await browser.new_context(base_url=server.url)
            pages = [await context.new_page(), await context.new_page()]
            for page in pages:
                watch(page, server.url, faults, EXPECTED_FAULTS)
            await register(pages[0])
            for page in pages:
                await page.goto("/app/")
                await page.evaluate(INSTALLED)
                await page.reload()
                await expect(page.locator("#content")).to_be_visible()
            await pages[0].fill("#content", "A draft")
        build(root, "new")
        with teahouse_process(data_dir, model_url, port=port, root=root):
            await pages[0].evaluate("navigator.serviceWorker.ready.then(registration => registration.update())")
            for page in pages:
                await expect(page.locator(".notice")).to_contain_text("A new version is ready.")
                assert await shown_build(page) == "old"
            # Loaded anew by hand it is the old one still: all of it fits together.
            await pages[1].reload()
            assert await shown_build(pages[1]) == "old"
            await expect(pages[1].locator(".notice")).to_contain_text("A new version is ready.")
            await pages[0].click(".notice >> text=Load it")
            await pages[0].wait_for_selector("meta[content=new]", state="attached")
            await expect(pages[0].locator("#content")).to_have_value("A draft")
            await pages[1].click(".notice >> text=Load it")
            await pages[1].wait_for_selector("meta[content=new]", state="attached")
            assert await pages[0].evaluate("caches.keys().then(names => names.length)") == 1
            await context.close()
    assert faults == []


async def shown_build(page: Page) -> str:
    return str(await page.locator("meta[name=build]").get_attribute("content"))

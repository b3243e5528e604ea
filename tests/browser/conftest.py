"""A real Chromium against a real server; any script error, policy violation or foreign request fails the test."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.browser.chromium import ARGUMENTS, CHROMIUM, ON_THE_NETWORK, OpenPage, register, watch
from tests.browser.contexts import Contexts
from tests.browser.servers import LiveServer, model_process, teahouse_process
from tests.browser.stage import Scene, scenes

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Who talks to the one Chromium does so in the one event loop."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A Teahouse with a data folder of its own, whose Ollama is the scripted server."""
    data_dir = tmp_path_factory.mktemp("live") / "data"
    with model_process() as model_url, teahouse_process(data_dir, model_url, allowed_hosts=ON_THE_NETWORK) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One for all tests of this process: what they know of each other ends with their contexts."""
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium on this machine")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Scene]]:
    """One set of servers for all states, in both languages."""
    async with scenes(chromium, tmp_path_factory.mktemp("stage")) as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def contexts(chromium: Browser) -> Contexts:
    return Contexts(chromium)


@pytest_asyncio.fixture(loop_scope="session")
async def browser(chromium: Browser, contexts: Contexts) -> AsyncIterator[Browser]:
    others = chromium.contexts
    yield chromium
    for context in chromium.contexts:
        if context not in others and context not in contexts:
            await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, contexts: Contexts, live_server: LiveServer) -> AsyncIterator[OpenPage]:
    """`await open_page(scripts=False, …)`: a page in a context of its own, watched until the end of the test.

    `host`: another name of the server than its address. `options`: of a context that is made for this one page.
    """
    faults: list[str] = []
    async with AsyncExitStack() as ending:

        async def open_page(
            *, scripts: bool = True, allowed: tuple[str, ...] = (), host: str = "127.0.0.1", **options: Any
        ) -> Page:
            url = live_server.url.replace("127.0.0.1", host)
            if options:
                context = await browser.new_context(base_url=url, java_script_enabled=scripts, **options)
                ending.push_async_callback(context.close)
            else:
                context = await ending.enter_async_context(contexts.lent(url, scripts=scripts))
            context.set_default_timeout(15_000)
            page = await context.new_page()
            watch(page, url, faults, allowed)
            return page

        yield open_page
    assert faults == []


@pytest_asyncio.fixture(loop_scope="session")
async def alice(open_page: OpenPage) -> Page:
    """Alice's first page, with scripts."""
    page = await open_page()
    await register(page)
    return page

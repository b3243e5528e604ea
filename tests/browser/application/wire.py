"""A wire between browser and server that can be cut: offline mode leaves streams that are open alone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page

from tests.browser.chromium import register, watch
from tests.browser.servers import LiveServer
from tests.ports import free_port

# The last one is the service worker, which is looked for behind all else.
EXPECTED_FAULTS = ("Failed to load resource", "net::ERR_", "fetching the script")


class Wire:
    """Forwards connections to the server until it is cut; then there is nobody at its address."""

    def __init__(self, url: str) -> None:
        self._there = urlsplit(url).port
        self._here = free_port()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.url = f"http://127.0.0.1:{self._here}"

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self._here)

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._open):
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._there)
        self._open |= {writer, there_writer}
        await asyncio.gather(self._copy(reader, there_writer), self._copy(there_reader, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
        writer.close()
        self._open.discard(writer)


@contextlib.asynccontextmanager
async def cuttable(browser: Browser, server: LiveServer) -> AsyncIterator[tuple[Page, Wire]]:
    """Somebody new in the application, and the wire that they hang on."""
    wire, faults = Wire(server.url), list[str]()
    await wire.mend()
    context = await browser.new_context(base_url=wire.url)
    page = await context.new_page()
    watch(page, wire.url, faults, EXPECTED_FAULTS)
    await register(page)
    await page.goto("/app/")
    await page.wait_for_selector("#content")
    yield page, wire
    await context.close()
    await wire.cut()
    assert faults == []

"""Contexts of the browser that tests use one after the other, each as if it was new.

A new one costs a process, and every script is read and compiled anew: as much as half of what a test then does.
"""

import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass

from playwright.async_api import Browser, BrowserContext, CDPSession, Error

# Of the server's own origin, and small.
RESTING = "/static/icons/teahouse-news.svg"


@dataclass(frozen=True, slots=True)
class _Kept:
    """A context, and the wire of the page that keeps its process alive."""

    url: str
    scripts: bool
    context: BrowserContext
    wire: CDPSession


class Contexts:
    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._resting = defaultdict[tuple[str, bool], list[_Kept]](list)
        self._kept: list[BrowserContext] = []

    def __contains__(self, context: BrowserContext) -> bool:
        return context in self._kept

    @contextlib.asynccontextmanager
    async def lent(self, url: str, *, scripts: bool) -> AsyncIterator[BrowserContext]:
        """Without cookies, storage and workers; what the browser has cached and compiled is still there."""
        resting = self._resting[url, scripts]
        kept = resting.pop() if resting else await self._make(url, scripts)
        try:
            yield kept.context
        finally:
            try:
                await self._empty(kept)
                resting.append(kept)
            except Error:  # the test has closed or crashed it
                self._kept.remove(kept.context)
                await kept.context.close()

    async def _make(self, url: str, scripts: bool) -> _Kept:
        context = await self._browser.new_context(base_url=url, java_script_enabled=scripts)
        self._kept.append(context)
        page = await context.new_page()
        await page.goto(RESTING)
        return _Kept(url, scripts, context, await context.new_cdp_session(page))

    async def _empty(self, kept: _Kept) -> None:
        _, *pages = kept.context.pages
        for page in pages:
            await page.close()
        await kept.context.unroute_all(behavior="ignoreErrors")
        await kept.context.set_offline(False)
        await kept.context.clear_permissions()
        await kept.context.clear_cookies()
        await kept.wire.send("Storage.clearDataForOrigin", {"origin": kept.url, "storageTypes": "all"})

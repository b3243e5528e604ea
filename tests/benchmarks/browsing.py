"""A page in a browser, and what went over the wire for it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, CDPSession, Page

# Noted in the page itself: when the cursor was first in the composer, and what moved without being asked to.
WATCH = """
  addEventListener("focusin", (event) => {
    if (event.target.id === "content") window.canType ??= performance.now();
  }, true);
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
"""


@dataclass(frozen=True, slots=True)
class Load:
    """One visit of a page. Milliseconds from its beginning; bytes as they came, headers included."""

    received: int
    requests: int
    can_type: float
    shift: float


class Visit:
    """What the wire carried since the last `forget`: bytes both ways, requests that reached the server.

    The font of formulas is counted apart: a browser loads it once, and only where there are any.
    """

    def __init__(self, page: Page, wire: CDPSession) -> None:
        self.page, self._wire = page, wire
        self.received = self.sent = self.requests = self.font = 0
        self._from_cache: set[str] = set()
        self._fonts: set[str] = set()
        wire.on("Network.requestServedFromCache", self._cached)
        wire.on("Network.responseReceived", self._response)
        wire.on("Network.loadingFinished", self._finished)
        wire.on("Network.requestWillBeSentExtraInfo", self._request)

    def _cached(self, event: Any) -> None:
        self._from_cache.add(event["requestId"])

    def _response(self, event: Any) -> None:
        response = event["response"]
        if response.get("fromDiskCache") or response.get("fromPrefetchCache") or response["url"].startswith("data:"):
            self._from_cache.add(event["requestId"])
        if event["type"] == "Font":
            self._fonts.add(event["requestId"])

    def _finished(self, event: Any) -> None:
        if event["requestId"] not in self._from_cache:
            self.requests += 1
            size = int(event["encodedDataLength"])
            if event["requestId"] in self._fonts:
                self.font += size
            else:
                self.received += size

    def _request(self, event: Any) -> None:
        headers = event["headers"]
        self.sent += sum(len(name) + len(value) + 4 for name, value in headers.items()) + 20

    def forget(self) -> None:
        self.received = self.sent = self.requests = self.font = 0

    async def load(self, path: str) -> Load:
        self.forget()
        self._from_cache.clear()
        await self.page.goto(path, wait_until="load")
        can_type = await self.page.wait_for_function("window.canType")
        await self.page.wait_for_timeout(700)  # whatever would still come or move
        return Load(self.received, self.requests, float(await can_type.json_value()), await self.shift())

    async def size(self) -> tuple[int, int]:
        """Elements, and nodes of every kind, once the list has come to its end: the rest of it comes as it is seen."""
        await self.page.evaluate(TO_THE_END)
        await self.page.wait_for_timeout(500)
        elements = await self.page.evaluate("document.getElementsByTagName('*').length")
        return int(elements), int(await self.page.evaluate(COUNT_NODES))

    async def shift(self) -> float:
        return float(await self.page.evaluate("window.shifted"))

    async def busy_seconds(self) -> float:
        """What the main thread has worked so far."""
        metrics = (await self._wire.send("Performance.getMetrics"))["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


TO_THE_END = """(() => {
  const list = document.getElementById("conversations");
  if (list) list.scrollTop = list.scrollHeight;
})()"""
COUNT_NODES = """(() => {
  const walker = document.createTreeWalker(document);
  let count = 1;
  while (walker.nextNode()) count += 1;
  return count;
})()"""


@contextlib.asynccontextmanager
async def opened(browser: Browser, url: str, cookies: list[Any], **options: Any) -> AsyncIterator[Visit]:
    """A browser that has nothing of this site but the sign-in."""
    context = await browser.new_context(base_url=url, viewport={"width": 1280, "height": 800}, **options)
    try:
        await context.add_cookies(cookies)
        page = await context.new_page()
        await page.add_init_script(WATCH)
        wire = await context.new_cdp_session(page)
        await wire.send("Network.enable")
        await wire.send("Performance.enable")
        yield Visit(page, wire)
    finally:
        await context.close()

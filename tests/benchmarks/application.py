"""The application at /app/ in a real Chromium: what it weighs, how a long conversation scrolls, what streaming costs.

`python -m tests.benchmarks.application` measures these alone. Tasks of the main thread count by the processor time
that Chromium's trace notes for them, so that other programs on the machine do not count; keystrokes by the clock.
"""

import asyncio
import json
import statistics
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, CDPSession, Page, Response, async_playwright

from tests.benchmarks import browsing, reading
from tests.benchmarks.pages import CONVERSATIONS, visitor
from tests.benchmarks.servers import Server, start_teahouse
from tests.benchmarks.targets import table
from tests.browser.chromium import ARGUMENTS, CHROMIUM
from tests.browser.servers import model_process
from tests.ports import free_port

LONG = 5000
RATE, SECONDS = 100, 20
DISTANCE, SPEED = 120_000, 8_000  # pixels, and pixels a second: as fast as a wheel is turned
SENTENCE = "I write the next question while this answer is being written. " * 2
CATEGORIES = ["toplevel", "devtools.timeline"]
KINDS = (".js", ".css")
# What a key costs: from the press to the end of all that listens to it.
KEYS = """() => {
  window.keys = [];
  new PerformanceObserver((list) => {
    for (const { name, startTime, processingEnd } of list.getEntries())
      if (name === "keydown") window.keys.push(processingEnd - startTime);
  }).observe({ type: "event", durationThreshold: 16 });
}"""


async def weighed(page: Page, path: str, until: str) -> dict[str, float]:
    """kB of scripts and styles on the wire until a page that nobody has seen before is there."""
    sizes = dict.fromkeys(KINDS, 0)
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    await page.goto(path)
    await page.wait_for_selector(until)
    await page.wait_for_timeout(700)  # whatever would still come
    for answer in answers:
        for kind in KINDS:
            if urlsplit(answer.url).path.endswith(kind):
                sizes[kind] += (await answer.request.sizes())["responseBodySize"]
    return {kind[1:]: round(size / 1000, 1) for kind, size in sizes.items()}


async def loads(browser: Browser, url: str, cookies: list[Any]) -> dict[str, Any]:
    results: dict[str, Any] = {}
    for name, path, until, who in (("sign_in", "/app/login", "#username", []), ("chat", "/app/", "#content", cookies)):
        # What the service worker fetches for the next time is not of this page.
        async with browsing.opened(browser, url, who, service_workers="block") as visit:
            found = await weighed(visit.page, path, until)
            results |= {f"app_{name}_{kind}_kb": size for kind, size in found.items()}
    async with browsing.opened(browser, url, cookies) as visit:
        await visit.page.goto("/app/")
        await visit.page.wait_for_selector("#content:focus")
        results["app_first_can_type_ms"] = round(await visit.page.evaluate("window.canType"))
        await visit.page.wait_for_timeout(700)  # whatever would still come or move
        return results | {"app_first_layout_shift": round(await visit.shift(), 3)}


def main_thread(trace: bytes) -> list[float]:
    """Milliseconds of processor time of each task in the busiest page."""
    events = json.loads(trace)["traceEvents"]
    mains = {
        (e["pid"], e["tid"]) for e in events if e["name"] == "thread_name" and e["args"]["name"] == "CrRendererMain"
    }
    found: dict[tuple[int, int], list[float]] = {thread: [] for thread in mains}
    for event in events:
        thread = (event["pid"], event["tid"])
        if thread in mains and event["name"].endswith("RunTask") and "tdur" in event:
            found[thread].append(event["tdur"] / 1000)
    return max(found.values(), key=sum)


async def traced(browser: Browser, page: Page, action: Callable[[], Awaitable[Any]]) -> list[float]:
    await browser.start_tracing(page=page, categories=CATEGORIES)
    await action()
    return main_thread(await browser.stop_tracing())


async def scrolling(browser: Browser, page: Page, wire: CDPSession) -> dict[str, Any]:
    """Up through what is not loaded yet, then up and down through all of it."""

    async def scroll(distance: int) -> None:
        gesture = {"x": 700, "y": 300, "yDistance": distance, "speed": SPEED, "gestureSourceType": "mouse"}
        await wire.send("Input.synthesizeScrollGesture", gesture)

    loading = await traced(browser, page, lambda: scroll(DISTANCE))
    for _ in range(300):
        await page.evaluate("document.querySelector('.scroller').scrollTop = -1e9")
        await page.wait_for_timeout(50)
        if await page.locator(".chunk").count() * 10 >= LONG:
            break
    assert await page.locator(".chunk").count() * 10 >= LONG, "it did not load all of it"
    down = await traced(browser, page, lambda: scroll(-DISTANCE))
    up = await traced(browser, page, lambda: scroll(DISTANCE))
    await page.evaluate("document.querySelector('.scroller').scrollTop = 0")
    return {
        "app_scroll_loading_longest_ms": round(max(loading), 1),
        "app_scroll_longest_ms": round(max(down + up), 1),
        "app_messages_in_document": await page.locator(".message").count(),
    }


async def streaming(browser: Browser, page: Page) -> dict[str, Any]:
    """An answer at that rate at the end of the long conversation; then another one while somebody types."""
    prompt = f"Tell me all [[tokens={RATE * (SECONDS + 10)} rate={RATE} first=500 text=answer]]"
    await page.evaluate(KEYS)

    async def begin() -> None:
        await page.fill("#content", prompt)
        await page.press("#content", "Enter")
        await page.wait_for_selector(".message[aria-busy] .prose p")

    async def typing() -> None:
        for letter in SENTENCE:
            await page.keyboard.type(letter)
            await page.wait_for_timeout(120)

    await begin()
    watched = await traced(browser, page, lambda: page.wait_for_timeout(SECONDS * 1000))
    await page.wait_for_selector("[aria-busy]", state="detached", timeout=60_000)
    await begin()
    await page.evaluate("keys.length = 0")
    await typing()
    assert await page.locator("[aria-busy]").count(), "the answer ended before the typing"
    # Those that are not even noted took less than the clock can tell.
    keys = [float(key) for key in await page.evaluate("keys")]
    keys += [0.0] * (len(SENTENCE) - len(keys))
    return {
        "app_stream_busy_percent": round(sum(watched) / 10 / SECONDS, 1),
        "app_stream_longest_ms": round(max(watched), 1),
        "app_keystroke_median_ms": round(statistics.median(keys), 1),
        "app_keystroke_longest_ms": round(max(keys), 1),
    }


async def _measure(server: Server, folder: Path) -> dict[str, Any]:
    alice = await visitor(server)
    reading.fill(folder / "teahouse.db", 2, CONVERSATIONS - 1)
    path = f"/app/c/{reading.fill(folder / 'teahouse.db', LONG, 0)}"
    cookies = [{"name": n, "value": v, "url": server.url} for n, v in alice.client.cookies.items()]
    await alice.client.aclose()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        results = await loads(browser, server.url, cookies)
        async with browsing.opened(browser, server.url, cookies) as visit:
            await visit.page.goto(path)
            await visit.page.wait_for_selector(".from-assistant .tools")
            await visit.page.wait_for_timeout(1500)
            wire = await visit.page.context.new_cdp_session(visit.page)
            results |= await scrolling(browser, visit.page, wire)
            results |= await streaming(browser, visit.page)
        await browser.close()
    return results


async def run(folder: Path) -> dict[str, Any]:
    folder.mkdir()
    with model_process() as model_url:
        # Over the other protocol it reads as much as it is sent: 5,000 messages are more than a window.
        openai = {"TEAHOUSE_OPENAI_BASE_URL": f"{model_url}/v1", "TEAHOUSE_DEFAULT_MODEL": "openai/scripted:latest"}
        server = start_teahouse(folder, model_url, free_port(), **openai)
        try:
            return await _measure(server, folder)
        finally:
            server.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="teahouse-bench-") as name:
        print(table(asyncio.run(run(Path(name) / "application"))))

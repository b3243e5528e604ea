"""The pages in a real Chromium, without Nginx: what they weigh, how soon one can type, what it costs to watch answers.

`python -m tests.benchmarks.pages` measures these alone.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser, async_playwright

from tests.benchmarks import browsing, reading
from tests.benchmarks.servers import Server, start_teahouse
from tests.benchmarks.targets import table
from tests.browser.chromium import ARGUMENTS, CHROMIUM
from tests.browser.servers import model_process
from tests.ports import free_port
from tests.web.visitor import Visitor, poller_in, token_in

CONVERSATIONS = 60
LOADS = 7
TOKENS, RATE = 2000, 50
ANSWERS, ANSWER_TOKENS = 20, 400
LONG, SHORT = 5000, 50


async def visitor(server: Server) -> Visitor:
    """The one account there is."""
    client = httpx.AsyncClient(base_url=server.url, timeout=60, headers={"Accept-Encoding": "gzip"})
    account = {"username": "bench", "email": "bench@example.org", "password": "correct horse battery"}
    form = {**account, "csrf_token": token_in((await client.get("/register")).text)}
    answer = await client.post("/register", data=form)
    assert answer.status_code == 303, answer.text
    return Visitor("bench", client)


async def loads(browser: Browser, server: Server, cookies: list[Any]) -> dict[str, Any]:
    """The signed-in first page, never seen before and then again; medians."""
    first, second = [], []
    for _ in range(LOADS):
        async with browsing.opened(browser, server.url, cookies) as visit:
            first.append(await visit.load("/"))
            await visit.page.goto("about:blank")
            second.append(await visit.load("/"))
            elements, nodes = await visit.size()
    return {
        "page_first_kb": round(statistics.median(load.received for load in first) / 1000, 1),
        "page_first_requests": max(load.requests for load in first),
        "page_first_can_type_ms": round(statistics.median(load.can_type for load in first)),
        "page_first_layout_shift": max(round(load.shift, 3) for load in first),
        "page_second_kb": round(statistics.median(load.received for load in second) / 1000, 1),
        "page_second_requests": max(load.requests for load in second),
        "page_second_can_type_ms": round(statistics.median(load.can_type for load in second)),
        "page_elements": elements,
        "page_nodes_with_text": nodes,
    }


async def one_long_answer(browser: Browser, server: Server, cookies: list[Any], alice: Visitor) -> dict[str, Any]:
    """Watched to its end in a browser that has the page open already."""
    path = await alice.ask(f"Tell me all [[tokens={TOKENS} rate={RATE} first=3000 text=answer]]")
    async with browsing.opened(browser, server.url, cookies) as visit:
        await visit.load(path)
        before = await visit.busy_seconds()
        visit.forget()
        await asyncio.sleep(3 + TOKENS / RATE + 2)
        busy = await visit.busy_seconds() - before
        assert await visit.page.locator(".poller").count() == 0, "it is not over"
        return {
            "page_stream_busy_percent": round(100 * busy / (TOKENS / RATE), 1),
            "page_stream_bytes_per_token": round(visit.received / TOKENS, 1),
            "page_font_kb": round(visit.font / 1000, 1),
            "page_stream_sent_bytes_per_token": round(visit.sent / TOKENS, 1),
            "page_stream_polls_per_s": round(visit.requests / (TOKENS / RATE), 2),
        }


async def many_answers(server: Server, alice: Visitor) -> dict[str, Any]:
    """Each with one viewer that polls as the page does."""
    content = "Tell me {} [[tokens={} rate=50 first=6000 text=answer]]"
    paths = [await alice.ask(content.format(number, ANSWER_TOKENS)) for number in range(ANSWERS)]
    pages = [(await alice.get(path)).text for path in paths]
    assert all(map(poller_in, pages))
    before = server.cpu_seconds()
    polls = await asyncio.gather(*(alice.follow(path, page) for path, page in zip(paths, pages, strict=True)))
    await asyncio.sleep(0.5)
    cpu = server.cpu_seconds() - before
    return {
        "page_cpu_s_per_1000_tokens_20": round(cpu / (ANSWERS * ANSWER_TOKENS) * 1000, 3),
        "page_polls_per_answer_20": round(statistics.mean(len(each) for each in polls), 1),
    }


async def ends(data_dir: Path, alice: Visitor) -> dict[str, Any]:
    """The page at the end of a long conversation and of a short one, in turns; medians."""
    paths = [f"/c/{reading.fill(data_dir / 'teahouse.db', messages, 0)}" for messages in (LONG, SHORT)]
    times: dict[str, list[float]] = {path: [] for path in paths}
    for _ in range(40):
        for path in paths:
            began = time.perf_counter()
            answer = await alice.get(path)
            times[path].append(time.perf_counter() - began)
            assert answer.status_code == 200
    long, short = (statistics.median(times[path][10:]) * 1000 for path in paths)
    return {
        "page_end_of_5000_ms": round(long, 1),
        "page_end_of_50_ms": round(short, 1),
        "page_end_of_5000_over_50": round(long / short, 2),
    }


async def run(folder: Path) -> dict[str, Any]:
    folder.mkdir()
    results: dict[str, Any] = {}
    with model_process() as model_url:
        server = start_teahouse(folder, model_url, free_port())
        try:
            alice = await visitor(server)
            reading.fill(folder / "teahouse.db", 2, CONVERSATIONS - 1)
            cookies = [{"name": n, "value": v, "url": server.url} for n, v in alice.client.cookies.items()]
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
                results |= await loads(browser, server, cookies)
                results |= await one_long_answer(browser, server, cookies, alice)
                await browser.close()
            results |= await many_answers(server, alice)
            results |= await ends(folder, alice)
            await alice.client.aclose()
        finally:
            server.stop()
    return results


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="teahouse-bench-") as name:
        print(table(asyncio.run(run(Path(name) / "pages"))))

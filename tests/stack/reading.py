"""Many people read answers while something happens to the server: nobody may notice more than a pause."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pysqlite3

from tests.effort import effort
from tests.model_server import answer_for
from tests.stack.stack import Stack
from tests.stack.visitor import Visitor

READERS = effort(4, 15)  # by stream, and as many by long poll; `make bench` takes a hundred
PROMPT = "Tell me of tea, {} [[tokens=24 rate=3 first=50]]"


async def reading(site: Stack, readers: list[Visitor], deed: Any) -> None:
    """Many answers are followed while `deed` happens: none is lost or doubled, and nobody is turned away."""
    begun = [await readers[n % 3].begin(PROMPT.format(n)) for n in range(2 * READERS)]
    started = [each for each in begun if each is not None]
    assert len(started) == len(begun), readers
    following = [
        asyncio.create_task(readers[n % 3].watch(job) if n < READERS else readers[n % 3].poll(job))
        for n, (job, _) in enumerate(started)
    ]
    stop = asyncio.Event()
    asking = asyncio.create_task(_go_on_asking(readers[0], stop))
    await asyncio.sleep(1.5)
    await asyncio.to_thread(deed)
    seen = await asyncio.wait_for(asyncio.gather(*following), 90)
    stop.set()
    asked = await asking
    for n, ((_, message_id), each) in enumerate(zip(started, seen, strict=True)):
        expected = "".join(answer_for(PROMPT.format(n)))
        assert each.text == expected and not each.restarts and not each.shrank
        assert all(a < b for a, b in zip(each.ids, each.ids[1:], strict=False))
        message = await readers[n % 3].ask("GET", f"/messages/{message_id}")
        assert (message["status"], message["content"]) == ("complete", expected)
    assert asked >= 5
    check_rows(site.root / "data" / "teahouse.db")


async def _go_on_asking(visitor: Visitor, stop: asyncio.Event) -> int:
    """What everybody else does meanwhile: read lists, write messages."""
    number = 0
    while not stop.is_set():
        await visitor.ask("GET", "/conversations")
        await visitor.begin(f"And {number}? [[tokens=2]]")
        number += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), effort(500, 50) / 1000)
    return number


def check_rows(path: Path) -> None:
    database = pysqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        for query in (
            "SELECT job_id FROM job_events WHERE event = 'done' GROUP BY job_id HAVING count(*) > 1",
            "SELECT job_id FROM job_events GROUP BY job_id HAVING max(seq) - min(seq) + 1 <> count(*)",
            "SELECT parent_id FROM messages WHERE role = 'assistant' GROUP BY parent_id HAVING count(*) > 1",
        ):
            assert database.execute(query).fetchall() == [], query
    finally:
        database.close()


def only_what_was_under_way_failed(readers: list[Visitor]) -> None:
    """A request that a killed process had read is lost, or its answer cut; each following one is answered."""
    failed = [each for visitor in readers for each in visitor.failed]
    lost = (" 502 ", " 503 ", "Disconnected", "ClientPayloadError")
    assert [each for each in failed if not any(words in each for words in lost)] == []

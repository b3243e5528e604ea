"""The stream as HTML: what a viewer puts together is what rendering the whole text gives."""

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from app.generations.live_html import LiveHtml
from app.jobs.frames import Frame
from app.rendering import StreamingRenderer
from tests.generations.asking import Talk
from tests.generations.logs import MARKDOWN, HandWritten, hand_written, pieces
from tests.generations.watching import stream_of


@pytest.fixture
async def written(talk: Talk, plain: Any) -> HandWritten:
    await talk.process.engine.worker.drain()
    return await hand_written(talk, plain)


def whole(text: str, prefix: str) -> list[str]:
    renderer = StreamingRenderer(prefix)
    renderer.feed(text)
    renderer.finish()
    return list(renderer.blocks)


def put_together(frames: Sequence[Frame]) -> list[str]:
    blocks: list[str] = []
    for frame in frames:
        data = orjson.loads(frame.data)
        if frame.event == "html":
            assert data["from"] <= len(blocks)
            blocks[data["from"] :] = data["blocks"]
        elif frame.event == "restart":
            blocks = []
        assert frame.event not in ("delta", "snapshot")
    return blocks


async def html_from(talk: Talk, job_id: str, after: int) -> list[Frame]:
    live = LiveHtml(talk.database, job_id, after)
    frames: list[Frame] = []
    async for batch in stream_of(talk.process, talk.principal.user_id, job_id).follow(after):
        frames += await live.apply(batch)
    return frames


async def test_from_every_position_the_blocks_come_to_the_whole(talk: Talk, written: HandWritten) -> None:
    for piece in pieces(MARKDOWN, 1):
        written.write("delta", {"text": piece})
    written.end()
    expected = whole(MARKDOWN, f"m-{written.message_id}-")
    last = (await talk.events(written.job_id))[-1][0]
    for position in range(0, last, 7):
        frames = await html_from(talk, written.job_id, position)
        assert put_together(frames) == expected
        assert frames[-1].event == "done"


async def test_a_restart_clears_and_begins_anew(talk: Talk, written: HandWritten) -> None:
    for piece in pieces(MARKDOWN, 2)[:20]:
        written.write("delta", {"text": piece})
    written.write("restart", {"reason": "r"})
    for piece in pieces("other *text*\n\nand more", 3):
        written.write("delta", {"text": piece})
    written.end()
    expected = whole("other *text*\n\nand more", f"m-{written.message_id}-")
    for position in (0, 5, 15, 22, 25):
        assert put_together(await html_from(talk, written.job_id, position)) == expected


async def test_a_snapshot_is_all_blocks_at_once(talk: Talk, written: HandWritten) -> None:
    written.write("snapshot", {"content": MARKDOWN, "thinking": ""})
    written.write("delta", {"text": "\n\nand on"})
    written.end()
    expected = whole(MARKDOWN + "\n\nand on", f"m-{written.message_id}-")
    for position in (0, 1, 2, 3, 99):
        assert put_together(await html_from(talk, written.job_id, position)) == expected

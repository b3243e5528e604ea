"""The polled page: whoever asks, at any position and pace, ends with the whole answer."""

import asyncio
import random
import time
from typing import Any

import pytest

from app.generations import live_page
from app.generations.live_page import LiveAnswers, Progress
from app.rendering import StreamingRenderer
from tests.generations.asking import Talk, new_talk
from tests.generations.logs import MARKDOWN, HandWritten, hand_written, pieces


@pytest.fixture
async def written(talk: Talk, plain: Any) -> HandWritten:
    await talk.process.engine.worker.drain()
    talk.process.engine.hub.draining = False
    return await hand_written(talk, plain)


@pytest.fixture
def live(talk: Talk) -> LiveAnswers:
    return LiveAnswers(talk.database, talk.process.engine)


class Page:
    """What stands on one person's page, by the answers to its polls."""

    def __init__(self) -> None:
        self.after = self.seen = 0
        self.closed: list[str] = []
        self.open = ""
        self.thinking = ""
        self.has_ended = False

    def take(self, progress: Progress) -> None:
        if progress.whole:
            self.closed, self.thinking = [], ""
        self.closed += progress.closed
        self.open = progress.open
        self.thinking += progress.thinking
        self.after, self.seen, self.has_ended = progress.position, progress.seen, progress.ended
        assert len(self.closed) == self.seen

    async def poll(self, live: LiveAnswers, talk: Talk, job_id: str) -> None:
        async with talk.database.read() as session:
            self.take(await live.look(session, talk.principal, job_id, after=self.after, seen=self.seen))


def whole(text: str, prefix: str) -> str:
    renderer = StreamingRenderer(prefix)
    renderer.feed(text)
    renderer.finish()
    return "".join(renderer.blocks)


@pytest.mark.parametrize("seed", range(4))
async def test_I5_polls_at_any_moment_come_to_the_whole(
    talk: Talk, live: LiveAnswers, written: HandWritten, seed: int
) -> None:
    chance = random.Random(seed)
    pages = [Page() for _ in range(4)]
    written.write("thinking", {"text": "let me see"})
    for piece in pieces(MARKDOWN, seed):
        written.write("delta", {"text": piece})
        for page in pages:
            if chance.random() < 0.15:
                await page.poll(live, talk, written.job_id)
    written.end()
    for page in [*pages, Page()]:
        await page.poll(live, talk, written.job_id)
        assert "".join(page.closed) + page.open == whole(MARKDOWN, f"m-{written.message_id}-")
        assert page.thinking == "let me see"
        assert page.has_ended


async def test_a_restart_replaces_the_page(talk: Talk, live: LiveAnswers, written: HandWritten) -> None:
    page = Page()
    for piece in pieces(MARKDOWN, 9):
        written.write("delta", {"text": piece})
    await page.poll(live, talk, written.job_id)
    assert page.closed
    written.write("restart", {"reason": "r"})
    written.write("delta", {"text": "anew"})
    await page.poll(live, talk, written.job_id)
    assert "".join(page.closed) + page.open == whole("anew", f"m-{written.message_id}-")


async def test_only_so_many_answers_are_kept_and_a_dropped_one_is_built_again(
    talk: Talk, live: LiveAnswers, written: HandWritten, plain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_page, "KEPT", 1)
    other = await hand_written(await new_talk(talk.process, talk.principal), plain)
    page, beside = Page(), Page()
    written.write("delta", {"text": "hello"})
    await page.poll(live, talk, written.job_id)
    await beside.poll(live, talk, other.job_id)
    assert list(live._kept) == [other.job_id]
    written.write("delta", {"text": " there"})
    await page.poll(live, talk, written.job_id)
    assert "hello there" in page.open


async def test_a_wait_is_held_until_there_is_text_and_ends_with_its_time(
    talk: Talk, live: LiveAnswers, written: HandWritten, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_page, "PAUSE", 5.0)
    began = time.monotonic()
    nothing = await live.wait(talk.principal, talk.conversation_id, written.job_id, after=1, seen=0, seconds=0.1)
    assert time.monotonic() - began >= 0.09
    assert not nothing.has_text
    held = live.wait(talk.principal, talk.conversation_id, written.job_id, after=1, seen=0, seconds=10)
    waiting = asyncio.create_task(held)
    await asyncio.sleep(0.02)
    began = time.monotonic()
    written.write("delta", {"text": "hello"})
    assert "hello" in (await waiting).open
    assert time.monotonic() - began < 3  # the first text at once

"""An event stream whose viewer leaves or stops reading."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from starlette.types import Message

from app.http import sse
from app.http.sse import EventStreamResponse
from app.jobs.frames import Frame

FRAME = Frame(1, "delta", "{}")


class Opened:
    """A stream without an end, and whether it has been closed."""

    def __init__(self) -> None:
        self.is_closed = self.is_left = False

    async def batches(self) -> AsyncIterator[Sequence[Frame]]:
        try:
            while True:
                yield [FRAME]
                await asyncio.sleep(0.01)
        finally:
            self.is_closed = True

    async def response(self) -> EventStreamResponse:
        batches = self.batches()
        return EventStreamResponse(await anext(batches), batches, self.leave)

    def leave(self) -> None:
        self.is_left = True


async def stays() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def test_F30_a_viewer_that_stops_reading_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "SLOW_SECONDS", 0.05)
    stream, sent = Opened(), list[Message]()

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) > 3:
            await asyncio.Event().wait()  # as uvicorn does while the connection takes nothing

    async with asyncio.timeout(5):
        await (await stream.response())({"type": "http"}, stays, send)
    assert stream.is_closed and stream.is_left
    assert len(sent) == 4 and sent[-1]["more_body"], "nothing waits for that viewer"


@pytest.mark.parametrize("after", [1, 3])
async def test_a_viewer_that_leaves_ends_the_stream(after: int) -> None:
    stream, left, sent = Opened(), asyncio.Event(), list[Message]()

    async def receive() -> Message:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) == after:
            left.set()

    async with asyncio.timeout(5):
        await (await stream.response())({"type": "http"}, receive, send)
    assert stream.is_closed and stream.is_left


async def test_a_server_that_ends_cancels_its_streams() -> None:
    stream = Opened()

    async def send(_message: Message) -> Any: ...

    running = asyncio.create_task((await stream.response())({"type": "http"}, stays, send))
    await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert stream.is_closed and stream.is_left

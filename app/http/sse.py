"""Event streams: frames to bytes, heartbeats, and an end that the viewer understands."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.errors import AppError, ErrorKind
from app.jobs.frames import Frame

MAX_POSITION = 2**53
SLOW_SECONDS = 10.0
_jitter = random.SystemRandom()
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
]

Present = Callable[[Sequence[Frame]], Awaitable[Sequence[Frame]]]


def parse_position(text: str | None) -> int:
    """The number of the last event seen; none: 0. Anything else than a plain number is refused with 400."""
    if text is None or text == "":
        return 0
    if not (text.isascii() and text.isdigit()) or len(text) > 16 or int(text) > MAX_POSITION:
        raise AppError(ErrorKind.invalid, "bad_position", "A position is the number of an event.")
    return int(text)


def encode(frames: Sequence[Frame]) -> bytes:
    """Frames as they go over the wire; none at all is a comment line that keeps proxies awake."""
    if not frames:
        return b": ping\n\n"
    return "".join(map(_encode, frames)).encode()


def _encode(frame: Frame) -> str:
    number = "" if frame.id is None else f"id: {frame.id}\n"
    return f"{number}event: {frame.event}\ndata: {frame.data}\n\n" if frame.event else f"{number}\n"


class EventStreamResponse(Response):
    """Sends batches as they come, until they end, or the viewer leaves or stops reading.

    `present` fills in what only the face can say. `on_close` always runs.
    """

    def __init__(
        self,
        first: Sequence[Frame],
        batches: AsyncIterator[Sequence[Frame]],
        on_close: Callable[[], None],
        present: Present | None = None,
    ) -> None:
        super().__init__()
        self._first, self._batches, self._on_close, self._present = first, batches, on_close, present
        self._is_left = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        streaming = asyncio.current_task()
        assert streaming is not None
        leaving = asyncio.create_task(self._end_with_viewer(receive, streaming))
        try:
            await self._stream(send)
        except asyncio.CancelledError:
            if not self._is_left:
                raise
            streaming.uncancel()
        except TimeoutError:
            pass  # the viewer has stopped reading: cut the connection; the viewer resumes by its last id
        finally:
            leaving.cancel()
            self._on_close()

    async def _end_with_viewer(self, receive: Receive, streaming: "asyncio.Task[None]") -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._is_left = True
        streaming.cancel()

    async def _stream(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        retry = f"retry: {_jitter.randint(500, 2000)}\n\n".encode()  # so that viewers do not return in step
        # The job may be deleted meanwhile, or the database may be busy. The stream just ends then: the next request
        # of the viewer gets the reason.
        with suppress(AppError):
            async with aclosing(self._batches) as batches:  # type: ignore[type-var]
                await self._send(send, retry, self._first)
                async for frames in batches:
                    await self._send(send, b"", frames)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, before: bytes, frames: Sequence[Frame]) -> None:
        if len(frames) > 1 and frames[-1].event == "done":  # which is looked up first: the text need not wait for it
            await self._send(send, before, frames[:-1])
            before, frames = b"", frames[-1:]
        if self._present is not None:
            frames = await self._present(frames)
        body = before + encode(frames)
        async with asyncio.timeout(SLOW_SECONDS):
            await send({"type": "http.response.body", "body": body, "more_body": True})

"""Event streams: frames to bytes, heartbeats, and an end that the viewer understands."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.errors import AppError, ErrorKind
from app.generations.stream import Frame

MAX_POSITION = 2**53
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
    return "".join(
        f"event: {f.event}\ndata: {f.data}\n\n" if f.id is None else f"id: {f.id}\nevent: {f.event}\ndata: {f.data}\n\n"
        for f in frames
    ).encode()


class EventStreamResponse(Response):
    """Sends batches as they come. `present` fills in what only the face can say. `on_close` always runs."""

    def __init__(
        self,
        first: Sequence[Frame],
        batches: AsyncIterator[Sequence[Frame]],
        present: Present,
        on_close: Callable[[], None],
    ) -> None:
        super().__init__()
        self._first, self._batches, self._present, self._on_close = first, batches, present, on_close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            retry = f"retry: {random.randint(500, 2000)}\n\n".encode()  # noqa: S311 - so that viewers do not return in step
            await self._send(send, retry, self._first)
            async for frames in self._batches:
                await self._send(send, b"", frames)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._on_close()

    async def _send(self, send: Send, before: bytes, frames: Sequence[Frame]) -> None:
        body = before + encode(await self._present(frames))
        await send({"type": "http.response.body", "body": body, "more_body": True})

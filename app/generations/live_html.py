"""The same stream as HTML: which blocks to drop, which to append."""

import asyncio
from collections.abc import Sequence

import orjson

from app.db.session import Database
from app.jobs.control import message_id_of
from app.jobs.events import read_after, replay
from app.jobs.frames import Frame
from app.jobs.lease import to_json
from app.rendering import StreamingRenderer


class LiveHtml:
    """One viewer's HTML. Who comes in the middle gets all blocks first, so that `from` always fits."""

    def __init__(self, database: Database, job_id: str, after: int) -> None:
        self._database, self._job_id, self._after = database, job_id, after
        self._renderer: StreamingRenderer | None = None
        self._prefix = ""

    async def apply(self, frames: Sequence[Frame]) -> list[Frame]:
        """The frames with `html` in place of `delta` and `snapshot`."""
        if self._renderer is None:
            await self._begin()
        return await asyncio.to_thread(self._apply, frames)

    async def _begin(self) -> None:
        async with self._database.read() as session:
            self._prefix = f"m-{await message_id_of(session, self._job_id)}-"
            seen = [e for e in await read_after(session, self._job_id, 0) if e.seq <= self._after]
        self._renderer = StreamingRenderer(self._prefix)
        self._whole = bool(seen)
        if seen:
            await asyncio.to_thread(self._renderer.feed, replay(seen).content)

    def _apply(self, frames: Sequence[Frame]) -> list[Frame]:
        assert self._renderer is not None
        shown: list[Frame] = []
        for frame in frames:
            if frame.event == "delta":
                shown.append(self._html(frame.id, self._renderer.feed(orjson.loads(frame.data)["text"]).from_))
            elif frame.event == "snapshot":
                self._renderer = StreamingRenderer(self._prefix)
                self._renderer.feed(orjson.loads(frame.data)["content"])
                shown.append(self._html(frame.id, 0))
            else:
                if frame.event == "restart":
                    self._renderer = StreamingRenderer(self._prefix)
                elif frame.event == "done":
                    shown.append(self._html(None, self._renderer.finish().from_))
                shown.append(frame)
        return shown

    def _html(self, number: int | None, start: int) -> Frame:
        assert self._renderer is not None
        if self._whole:
            start, self._whole = 0, False
        return Frame(number, "html", to_json({"from": start, "blocks": self._renderer.blocks[start:]}))

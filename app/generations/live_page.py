"""An answer that is being written, as HTML blocks: rendered once per process, for any viewer at any position."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.principal import Principal
from app.clock import monotonic
from app.db.session import Database
from app.errors import not_found
from app.jobs.control import get_job, job_now
from app.jobs.engine import Engine
from app.jobs.events import LogText, read_after, read_now
from app.jobs.lease import StoredEvent
from app.jobs.models import Job
from app.jobs.queue import position
from app.jobs.states import JobStatus
from app.rendering import StreamingRenderer

KEPT = 64  # answers; one that was dropped is built again from its log
# Seconds between two looks of a viewer who has text already. The first words of an answer count each;
# later there is something to read, and a long block that still grows is sent whole each time.
PAUSE, LONG_PAUSE, LONGEST_PAUSE = 0.25, 0.4, 0.5
SHORT, LONG_BLOCK = 700, 2000  # characters
QUICK = 1000  # characters: seldom more than a millisecond to render
SHORT_HOLD = 2.0  # a place in the queue, and where a run stands, change without an event

ReadLog = Callable[[int], Awaitable[list[StoredEvent]]]


@dataclass(frozen=True, slots=True)
class Progress:
    """What a viewer lacks. `whole`: it comes in place of all that the viewer has, else it is to be appended."""

    job_id: str
    conversation_id: str | None
    message_id: str | None
    position: int  # number of the last event in it
    whole: bool
    closed: Sequence[str]  # blocks that will not change any more
    open: str  # the block that still grows
    seen: int  # closed blocks that the viewer has then
    thinking: str
    thinks_first: bool  # this is the first thinking that the viewer gets
    superseded: Sequence[dict[str, Any]]
    status: str
    place: int | None  # in the queue, 1 = next
    is_blocked: bool  # an earlier answer of the conversation comes first
    had_any: bool  # the viewer had text or thinking before
    ended: bool
    reason: Mapping[str, Any] | None  # of the failure that it waits after
    retry_at: datetime | None
    phase: str | None  # of a run
    phase_at: datetime | None

    @property
    def has_text(self) -> bool:
        return bool(self.seen or self.open)


class LiveAnswers:
    """The answers that somebody watches in this process."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database, self._hub, self._places = database, engine.hub, engine.places
        self._kept: OrderedDict[str, LiveAnswer] = OrderedDict()

    async def look(
        self, session: AsyncSession, principal: Principal, job_id: str, *, after: int = 0, seen: int = 0
    ) -> Progress:
        """What is committed now, for a viewer who has `seen` closed blocks as of the event `after`."""
        job = await get_job(session, principal.user_id, job_id)
        place = await position(session, job)
        return await self._progress(job, place, after, seen, lambda last: read_after(session, job_id, last))

    async def _look_again(self, principal: Principal, job_id: str, after: int, seen: int) -> Progress:
        """The same without a session: viewers look several times a second."""
        lookup = self._database.lookup
        job = await job_now(lookup, principal.user_id, job_id)
        place = None
        if job.status == JobStatus.queued and (place := await self._places.of(job_id)) is None:
            async with self._database.read() as session:
                place = await position(session, job)
        return await self._progress(job, place, after, seen, lambda last: read_now(lookup, job_id, last))

    async def _progress(self, job: Job, place: int | None, after: int, seen: int, read: ReadLog) -> Progress:
        if job.kind != "answer":
            raise not_found()
        answer = self._kept_answer(job)
        async with answer.lock:
            events = [] if job.folded else await read(answer.position)
            if answer.is_quick(events):
                answer.apply(events, after)
            elif events:
                await asyncio.to_thread(answer.apply, events, after)
            return answer.progress(job, place, after, seen)

    async def wait(
        self, principal: Principal, conversation_id: str, job_id: str, *, after: int, seen: int, seconds: float
    ) -> Progress:
        """What is newer than `after`, held until there is something; holds no session meanwhile."""
        began = monotonic()
        answer = self._kept.get(job_id)
        with self._hub.watch(job_id) as subscription:
            paused = answer is not None and answer.is_read(after)
            if answer is not None and paused:
                # Whatever comes meanwhile is looked at once, together.
                await asyncio.sleep(answer.pause)
            while True:
                subscription.take()
                progress = await self._look_again(principal, job_id, after, seen)
                if progress.conversation_id != conversation_id:
                    raise not_found()
                if progress.ended or progress.is_blocked:
                    return progress
                is_news = progress.position > after or progress.whole
                is_beginning = progress.status == JobStatus.queued or not (progress.has_text or progress.had_any)
                hold = min(seconds, SHORT_HOLD) if is_beginning else seconds
                if is_news or self._hub.draining or subscription.overflowed:
                    hold = PAUSE if not paused and (progress.had_any or not is_news) else 0
                left = began + hold - monotonic()
                if left <= 0:
                    return progress
                subscription.opened(progress.position)
                # News that came too early is kept until the pause is over, with all that joins it.
                await (asyncio.sleep(left) if is_news else subscription.wait(left))

    def _kept_answer(self, job: Job) -> "LiveAnswer":
        answer = self._kept.get(job.id)
        if answer is None:
            answer = self._kept[job.id] = LiveAnswer(f"m-{job.message_id}-")
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(job.id)
        return answer


class LiveAnswer:
    """One log, followed. Of each block it is known by which event it last changed."""

    def __init__(self, prefix: str) -> None:
        self.lock = asyncio.Lock()
        self.position = 0
        self._prefix = prefix
        self._renderer = StreamingRenderer(prefix)
        self._closed = 0  # blocks that more text does not change
        self._changed_at: list[int] = []  # never falls from one block to the next
        self._text = LogText()
        self._thinking: list[tuple[int, str]] = []
        self._cleared_at = 0
        self._first_shown = 0
        self._size = 0  # characters, of text and thinking
        self._ended = False

    @property
    def pause(self) -> float:
        if self._size < SHORT:
            return PAUSE
        return LONG_PAUSE if self._open_size < LONG_BLOCK else LONGEST_PAUSE

    @property
    def _open_size(self) -> int:
        return sum(map(len, self._renderer.blocks[self._closed :]))

    def is_read(self, after: int) -> bool:
        """Whether a viewer who stands there has begun to read, and there is more to come."""
        return 0 < self._first_shown <= after and not self._ended

    def is_quick(self, events: Sequence[StoredEvent]) -> bool:
        """Whether to go on by these takes less than the way to a thread and back."""
        return self._open_size + sum(len(event.data) for event in events) < QUICK

    def apply(self, events: Sequence[StoredEvent], after: int) -> None:
        """Go on in the log; takes time, call it off the event loop unless it is quick.

        A run of deltas is rendered once, but split where the viewer stands: else its blocks would look changed since.
        """
        for (name, _), group in groupby(events, key=lambda event: (event.event, event.seq <= after)):
            run = list(group)
            if name == "delta":
                text = "".join(str(orjson.loads(event.data)["text"]) for event in run)
                self._text.apply("delta", {"text": text})
                self._write(text, run[-1].seq)
            else:
                for event in run:
                    self._apply_one(event.seq, name, orjson.loads(event.data))
            self.position = run[-1].seq

    def _apply_one(self, seq: int, name: str, data: dict[str, Any]) -> None:
        self._text.apply(name, data)
        if name == "thinking":
            self._think(data["text"], seq)
        elif name in ("restart", "snapshot"):
            self._renderer, self._changed_at, self._thinking = StreamingRenderer(self._prefix), [], []
            self._closed, self._cleared_at = 0, seq
        if name == "snapshot":
            self._think(data["thinking"], seq)
            self._write(data["content"], seq)
        elif name == "done":
            self._changed(self._renderer.finish().from_, seq)
            self._closed, self._ended = len(self._renderer.blocks), True

    def _think(self, text: str, seq: int) -> None:
        if text:
            self._size += len(text)
            self._thinking.append((seq, text))
            self._first_shown = self._first_shown or seq

    def _write(self, text: str, seq: int) -> None:
        if text:
            self._size += len(text)
            self._changed(self._renderer.feed(text).from_, seq)
            # Nothing more to write: what still may change begins where the closed blocks end.
            self._closed = self._renderer.feed("").from_
            self._first_shown = self._first_shown or seq

    def _changed(self, start: int, seq: int) -> None:
        self._changed_at[start:] = [seq] * (len(self._renderer.blocks) - start)

    def progress(self, job: Job, place: int | None, after: int, seen: int) -> Progress:
        ended = self._ended or JobStatus(job.status).ended
        blocks = self._renderer.blocks
        closed = len(blocks) if ended else self._closed
        whole = not self._fits(after, seen, closed) or (ended and not self._ended)
        thinking = [text for seq, text in self._thinking if whole or seq > after]
        return Progress(
            job_id=job.id,
            conversation_id=job.conversation_id,
            message_id=job.message_id,
            position=self.position,
            whole=whole,
            closed=blocks[0 if whole else seen : closed],
            open="" if ended else "".join(blocks[closed:]),
            seen=closed,
            thinking="".join(thinking),
            thinks_first=bool(self._thinking) and self._thinking[0][0] > after,
            superseded=list(self._text.superseded),
            status=job.status,
            place=place,
            is_blocked=job.blocked,
            had_any=0 < self._first_shown <= after,
            ended=ended,
            reason=job.error if job.status == JobStatus.queued else None,
            retry_at=job.run_after if job.status == JobStatus.queued else None,
            phase=job.phase if job.status == JobStatus.running else None,
            phase_at=job.phase_at,
        )

    def _fits(self, after: int, seen: int, closed: int) -> bool:
        """Whether the viewer's closed blocks are as they are now."""
        if not 0 < after <= self.position or self._cleared_at > after or seen > closed:
            return False
        return seen == 0 or self._changed_at[seen - 1] <= after

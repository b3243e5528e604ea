"""Watch a job from any position: replay from the log, then follow live; no gap, no repeat.

What `done` says is left to the face.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import monotonic
from app.conversations.models import Message
from app.db.session import Database
from app.jobs.control import get_job
from app.jobs.engine import Engine
from app.jobs.events import MOST_EVENTS, LogText, read_after, replay
from app.jobs.frames import RECONNECT, Frame
from app.jobs.lease import StoredEvent, to_json
from app.jobs.models import Job
from app.jobs.notify import Subscription
from app.jobs.queue import place_now, position
from app.jobs.states import JobStatus, Phase, standing, status_data, trouble

RIGHT_CHECK_SECONDS = 5.0
PING_SECONDS = 15.0
POSITION_SECONDS = 1.0
LIFETIME_SECONDS = 1800.0


_UNDER_WAY = """
SELECT j.status, j.attempt, j.priority, j.queue, j.last_event_id, j.error, j.run_after, j.phase, j.phase_at,
  e.seq, e.event, e.data FROM jobs j
LEFT JOIN job_events e ON e.job_id = j.id AND e.seq > CAST(:after AS BIGINT)
WHERE j.id = :job_id AND j.user_id = :user_id AND j.status IN ('queued', 'running') ORDER BY e.seq LIMIT :limit
"""


async def opening(session: AsyncSession, job: Job, after: int) -> list[Frame]:
    """All that a viewer who has seen `after` has not seen, as far as it is committed."""
    if job.folded or after > job.last_event_id:
        return await _snapshot(session, job, after)
    events = await read_after(session, job.id, after)
    frames = [Frame(e.seq, e.event, e.data) for e in events]
    if not frames and JobStatus(job.status).ended:
        frames = [Frame(job.last_event_id, "done", "{}")]
    return frames


async def _snapshot(session: AsyncSession, job: Job, after: int) -> list[Frame]:
    ended = JobStatus(job.status).ended
    done = [Frame(job.last_event_id, "done", "{}")] if ended else []
    if ended and after == job.last_event_id:
        return done
    text = await _text_of(session, job)
    data = to_json({"content": text.content, "thinking": text.thinking})
    return [Frame(job.last_event_id - len(done), "snapshot", data), *done]


async def _text_of(session: AsyncSession, job: Job) -> LogText:
    if not job.folded:
        return replay(await read_after(session, job.id, 0))
    text = LogText()
    message = await session.get(Message, job.message_id) if job.message_id and job.kind == "answer" else None
    if message is not None:
        text.apply("snapshot", {"content": message.content, "thinking": message.thinking})
    return text


async def live_text(session: AsyncSession, message: Message) -> LogText:
    """A message that is being written, as far as it is committed."""
    return replay(await read_after(session, message.job_id or "", 0))


class JobStream:
    """One viewer of one job. Holds no session while it waits."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        user_id: str,
        job_id: str,
        *,
        still_allowed: Callable[[], Awaitable[bool]],
    ) -> None:
        self._database, self._hub, self._places = database, engine.hub, engine.places
        self._user_id, self._job_id = user_id, job_id
        self._still_allowed = still_allowed
        self._last = 0
        self._queued, self._begins, self._attempt = False, False, 0
        self._standing: dict[str, Any] = {}
        self._position: int | None = None
        self._trouble: dict[str, Any] = {}
        self._placed_at = 0.0

    async def follow(self, after: int) -> AsyncIterator[Sequence[Frame]]:
        """Batches of frames until `done`; an empty batch is a sign of life. The first one may raise `not_found`."""
        with self._hub.watch(self._job_id) as subscription:
            frames, ended = await self._open(after)
            subscription.opened(self._last)
            yield frames
            born = checked = pinged = monotonic()
            while not ended:
                if not self._hub.draining:  # it may have begun while the viewer was being written to
                    await subscription.wait(POSITION_SECONDS if self._queued or self._begins else RIGHT_CHECK_SECONDS)
                now = monotonic()
                if self._hub.draining or now - born > LIFETIME_SECONDS or subscription.overflowed:
                    yield [RECONNECT]
                    return
                frames, ended = await self._fresh(subscription)
                if frames:
                    yield frames
                    pinged = now
                elif now - pinged >= PING_SECONDS:
                    yield []
                    pinged = now
                if now - checked >= RIGHT_CHECK_SECONDS and not ended:
                    checked = now
                    if not await self._still_allowed():
                        return

    async def wait(self, after: int | None, seconds: float) -> Sequence[Frame]:
        """What is newer than `after`, as soon as there is any; without `after`, return when the job has ended."""
        deadline = monotonic() + seconds
        with self._hub.watch(self._job_id) as subscription:
            opened, ended = await self._open(after or 0)
            subscription.opened(self._last)
            frames = [frame for frame in opened if frame.id is not None]  # a place in the queue is no news
            while not ended and (after is None or not frames):
                remaining = deadline - monotonic()
                if remaining <= 0 or self._hub.draining or subscription.overflowed:
                    break
                await subscription.wait(remaining)
                more, ended = await self._fresh(subscription)
                frames = [*frames, *(frame for frame in more if frame.id is not None)]
        return frames

    async def _open(self, after: int) -> tuple[list[Frame], bool]:
        frames = await self._under_way(after)
        if frames is None:
            async with self._database.read() as session:
                job = await get_job(session, self._user_id, self._job_id)
                frames = await opening(session, job, after)
                if job.status == JobStatus.queued:
                    self._trouble = trouble(job.error, job.run_after)
                    frames.append(self._placed(job.attempt, await position(session, job)))
        self._last = max([after, *(f.id for f in frames if f.id is not None)])
        if frames and frames[0].event == "snapshot":
            self._last = max(f.id for f in frames if f.id is not None)
        return frames, bool(frames) and frames[-1].event == "done"

    async def _under_way(self, after: int) -> list[Frame] | None:
        """The plain case, without a session: a job that waits or runs, and its log. None is every other case."""
        lookup = self._database.lookup
        which = {"job_id": self._job_id, "user_id": self._user_id, "after": after, "limit": MOST_EVENTS}
        rows = await lookup.all(_UNDER_WAY, which)
        if not rows:
            return None
        status, attempt, priority, queue, last, error, run_after, phase, phase_at = rows[0][:9]
        if after > last:
            return None
        frames = [Frame(*row[9:]) for row in rows if row[9] is not None]
        if status == JobStatus.queued:
            self._trouble = trouble(error and orjson.loads(error), datetime.fromisoformat(run_after))
            frames.append(self._placed(attempt, await place_now(lookup, self._user_id, queue, self._job_id, priority)))
        elif phase != Phase.writing:
            self._attempt, self._begins = attempt, True
            frames += self._stands(standing(phase, phase_at and datetime.fromisoformat(phase_at)))
        return frames

    def _placed(self, attempt: int, place: int | None) -> Frame:
        self._queued, self._begins, self._attempt = True, False, attempt
        self._position, self._placed_at = place, monotonic()
        return Frame(None, "status", to_json(status_data(JobStatus.queued, attempt, place, **self._trouble)))

    def _stands(self, standing: dict[str, Any]) -> list[Frame]:
        """A frame if that is news."""
        if not standing or standing == self._standing:
            return []
        self._standing = standing
        return [Frame(None, "status", to_json(status_data(JobStatus.running, self._attempt, **standing)))]

    async def _fresh(self, subscription: Subscription) -> tuple[list[Frame], bool]:
        """What came since; a hole in the numbers is filled from the log."""
        frames: list[Frame] = []
        for event in subscription.take():
            if event.seq == self._last + 1:
                self._take(frames, event)
            elif event.seq > self._last:
                async with self._database.read() as session:
                    for missed in await read_after(session, self._job_id, self._last):
                        self._take(frames, missed)
        if not frames and (self._queued or self._begins) and monotonic() - self._placed_at >= POSITION_SECONDS:
            self._placed_at = monotonic()
            frames = await self._moved() if self._queued else self._stands(await self._places.standing_of(self._job_id))
        return frames, bool(frames) and frames[-1].event == "done"

    def _take(self, frames: list[Frame], event: StoredEvent) -> None:
        self._last = event.seq
        if self._standing and event.event in ("delta", "thinking"):
            frames += self._stands({"phase": Phase.writing})
        frames.append(Frame(event.seq, event.event, event.data))
        if event.event == "status":
            status = orjson.loads(event.data)
            self._queued, self._attempt = status["status"] == JobStatus.queued, status["attempt"]
            self._begins, self._standing = not self._queued, {}
            self._trouble = {name: status[name] for name in ("reason", "retry_at") if name in status}
        else:
            self._begins, self._standing = False, {}

    async def _moved(self) -> list[Frame]:
        place = await self._places.of(self._job_id)
        if place is None:  # it has just begun, or is gone
            async with self._database.read() as session:
                await get_job(session, self._user_id, self._job_id)
        return [self._placed(self._attempt, place)] if place is not None and place != self._position else []

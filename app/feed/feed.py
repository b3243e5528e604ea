"""Follow a person's own changes from any position: first the missed ones, then the new ones as they are committed."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import orjson

from app.clock import monotonic, rfc3339, utcnow
from app.db.lookup import Lookup
from app.db.types import to_text
from app.jobs.complaints import Complaints
from app.jobs.frames import RECONNECT, Frame
from app.jobs.lease import Connection, to_json
from app.jobs.notify import Hub
from app.jobs.places import Places
from app.jobs.queue import place_now
from app.jobs.states import JobStatus, trouble

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.25  # between two looks of a process in which somebody watches
PING_SECONDS = 25.0
RIGHT_CHECK_SECONDS = 5.0  # before an event is shown, the viewer's right is checked again if it is older
LIFETIME_SECONDS = 1800.0
MOST_EVENTS = 500  # a viewer that missed more gets `reset`
KEPT_FOR = timedelta(days=1)
PRUNE_SECONDS = 3600.0

# On PostgreSQL the changes of a transaction are visible once all earlier transactions have ended. Otherwise an event
# with a lower number could be committed after a higher one was shown, and a viewer would miss it.
_NUMBER = {False: "id", True: "transaction_id"}
_END = {
    False: "coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'user_events'), 0)",
    True: "CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT) - 1",
}
_EVENTS = """
SELECT {number}, user_id, event, data FROM user_events
WHERE {whose}{number} > CAST(:after AS BIGINT) AND {number} <= {end} ORDER BY {number}, id {limit}
"""
_BOUNDS = "SELECT min({number}) - 1, {end} FROM user_events"
_PRUNE = "DELETE FROM user_events WHERE created_at < ?"

Event = tuple[int, str, str, str]
"""Number, user id, kind and data of one change."""


@dataclass(frozen=True, slots=True)
class News:
    """Events after a position, and the position after them."""

    frames: Sequence[Frame]
    last: int


def news_json(news: News) -> dict[str, Any]:
    """As it goes over the wire."""
    events = [{"id": frame.id, "event": frame.event, "data": orjson.loads(frame.data)} for frame in news.frames]
    return {"events": events, "last_event_id": news.last}


class _Watcher:
    """One viewer, and the events that it has not taken yet."""

    __slots__ = ("_events", "_waiter")  # there are thousands

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._waiter: asyncio.Future[None] | None = None

    def put(self, events: Sequence[Event]) -> None:
        self._events.extend(events)
        self.wake()

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def take(self) -> list[Event]:
        taken, self._events = self._events, []
        return taken

    async def wait(self, seconds: float) -> None:
        """Return when something was put, or somebody called wake(), or after so long."""
        if self._events:
            return
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(seconds, self.wake)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None


class Feed:
    """Reads the log once for all viewers of this process, and only while there are any."""

    def __init__(self, lookup: Lookup, hub: Hub, places: Places, *, is_postgres: bool) -> None:
        self._lookup, self._hub, self._places = lookup, hub, places
        spelled = {"number": _NUMBER[is_postgres], "end": _END[is_postgres]}
        self._all = _EVENTS.format(**spelled, whose="", limit="")
        self._own = _EVENTS.format(**spelled, whose="user_id = :user_id AND ", limit=f"LIMIT {MOST_EVENTS + 1}")
        self._bounds = _BOUNDS.format(**spelled)
        self._watchers: dict[str, set[_Watcher]] = defaultdict(set)
        self._seen = 0
        self._looking: asyncio.Task[None] | None = None
        self._beginning = asyncio.Lock()
        self._complains = Complaints()

    async def position(self) -> int:
        """The number of the last event."""
        return (await self._ends())[1]

    async def follow(
        self, user_id: str, after: int | None, *, still_allowed: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[Sequence[Frame]]:
        """Batches of frames after a position, or from now on; an empty batch keeps the connection open."""
        async with self._watch(user_id) as watcher:
            news = await self._missed(user_id, after)
            yield news.frames or [Frame(news.last, "", "")]
            seen, born, checked = news.last, monotonic(), monotonic()
            while True:
                await watcher.wait(PING_SECONDS)
                now = monotonic()
                if self._hub.draining or now - born > LIFETIME_SECONDS:
                    yield [RECONNECT]
                    return
                events = [event for event in watcher.take() if event[0] > seen]
                if now - checked > RIGHT_CHECK_SECONDS:
                    checked = now
                    if not await still_allowed():
                        return
                yield await self._frames(events)
                seen = events[-1][0] if events else seen

    async def wait(self, user_id: str, after: int | None, seconds: float) -> News:
        """Events after `after`, as soon as there are any; without `after`, the current position at once."""
        if after is None:
            return News([], await self.position())
        async with self._watch(user_id) as watcher:
            news = await self._missed(user_id, after)
            deadline = monotonic() + seconds
            while not news.frames and (remaining := deadline - monotonic()) > 0 and not self._hub.draining:
                await watcher.wait(remaining)
                events = [event for event in watcher.take() if event[0] > news.last]
                news = News(await self._frames(events), events[-1][0] if events else news.last)
        return news

    @contextlib.asynccontextmanager
    async def _watch(self, user_id: str) -> AsyncIterator[_Watcher]:
        """Register first and read the log afterwards, so that no event is lost; numbers tell duplicates."""
        watcher = _Watcher()
        self._watchers[user_id].add(watcher)
        try:
            async with self._beginning:
                if self._looking is None:
                    self._seen = await self.position()
                    self._looking = asyncio.create_task(self._look_while_watched(), name="feed")
            yield watcher
        finally:
            self._watchers[user_id].discard(watcher)
            if not self._watchers[user_id]:
                del self._watchers[user_id]

    async def _look_while_watched(self) -> None:
        while self._watchers:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._look()
            except Exception:
                if self._complains():
                    logger.exception("the feed could not be read; trying again")
            if self._hub.draining:
                for watcher in chain.from_iterable(self._watchers.values()):
                    watcher.wake()
        self._looking = None

    async def _look(self) -> None:
        by_user: dict[str, list[Event]] = defaultdict(list)
        for event in await self._lookup.all(self._all, {"after": self._seen}):
            self._seen = event[0]
            by_user[event[1]].append(tuple(event))
        for user_id, events in by_user.items():
            for watcher in self._watchers.get(user_id, ()):
                watcher.put(events)

    async def _ends(self) -> tuple[int, int]:
        """The position before the oldest kept event, and the number of the last one."""
        row = await self._lookup.first(self._bounds, {})
        assert row is not None
        return (row[1] if row[0] is None else row[0]), row[1]

    async def _missed(self, user_id: str, after: int | None) -> News:
        first, last = await self._ends()
        if after is None:
            return News([], last)
        if first <= after <= last:
            events = await self._lookup.all(self._own, {"user_id": user_id, "after": after})
            if len(events) <= MOST_EVENTS:
                return News(await self._frames(events), max(last, events[-1][0] if events else 0))
        return News([Frame(last, "reset", "{}")], last)

    async def _frames(self, events: Sequence[Any]) -> list[Frame]:
        frames = []
        for number, user_id, event, data in events:
            row = orjson.loads(data)
            shown = _conversation(row) if event == "conversation" else await self._job(user_id, row)
            frames.append(Frame(number, event, to_json(shown)))
        return frames

    async def _job(self, user_id: str, row: dict[str, Any]) -> dict[str, Any]:
        error, run_after, queue, priority = (row.pop(name) for name in ("error", "run_after", "queue", "priority"))
        told: dict[str, Any] = {"position": None, "reason": None, "retry_at": None}
        if row["status"] != JobStatus.running:
            row["phase"] = None
        if row["status"] == JobStatus.queued:
            place = await self._places.of(row["id"])  # up to a second old: a new job is not there yet
            told["position"] = place or await place_now(self._lookup, user_id, queue, row["id"], priority)
            told |= trouble(error, datetime.fromisoformat(run_after))
        return row | told


def _conversation(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "updated_at": rfc3339(datetime.fromisoformat(row["updated_at"]))}


class Pruner:
    """A duty: deletes events after a day."""

    def __init__(self) -> None:
        self._pruned_at = float("-inf")

    def __call__(self, connection: Connection) -> None:
        if monotonic() - self._pruned_at > PRUNE_SECONDS:
            self._pruned_at = monotonic()
            connection.execute(_PRUNE, (to_text(utcnow() - KEPT_FOR),))

"""Places in the queue of many jobs at once: for lists, and for all who watch."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import monotonic
from app.db.lookup import Lookup
from app.jobs.models import Job
from app.jobs.states import JobStatus, standing

FRESH_SECONDS = 1.0

_WAITING = "SELECT id, user_id, priority, queue FROM jobs WHERE status = 'queued'"
_WATCHED = """
SELECT id, user_id, priority, queue, NULL, NULL FROM jobs WHERE status = 'queued'
UNION ALL SELECT id, user_id, priority, queue, phase, phase_at FROM jobs WHERE status = 'running'
  AND phase IN ('waiting', 'loading', 'reading')
"""


async def places_of(session: AsyncSession, jobs: Sequence[Job]) -> dict[str, int]:
    """Of all that wait, by id, if one of these does."""
    if not any(job.status == JobStatus.queued for job in jobs):
        return {}
    return _places((await session.execute(text(_WAITING))).all())


def _places(waiting: Sequence[Any]) -> dict[str, int]:
    """The same as `queue.position` of each, for what it costs to look at all once."""
    places: dict[str, int] = {}
    for queue, priority in {(queue, priority) for _, _, priority, queue in waiting}:
        line = sorted(row for row in waiting if row[3] == queue and row[2] <= priority)
        places.update(
            {id: place for (id, _, own, _), place in zip(line, _in_turns(line), strict=True) if own == priority}
        )
    return places


def _in_turns(line: Iterable[Any]) -> Iterable[int]:
    """Users take turns: before my k-th job stand, of all that came earlier, the first k of each user."""
    turns: dict[str, int] = {}
    jobs_of_turn: list[int] = []
    for _, user_id, *_ in line:
        turn = turns.get(user_id, 0)
        turns[user_id] = turn + 1
        if turn == len(jobs_of_turn):
            jobs_of_turn.append(0)
        yield 1 + sum(jobs_of_turn[: turn + 1])
        jobs_of_turn[turn] += 1


class Places:
    """What all who watch in this process are told: one look a second for them together, however many they are."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._places: dict[str, int] = {}
        self._beginning: dict[str, dict[str, Any]] = {}
        self._looked_at = float("-inf")
        self._looking: asyncio.Task[None] | None = None

    async def of(self, job_id: str) -> int | None:
        """1 = next to start, as of a second ago at most; None: it did not wait then."""
        await self._look_if_old()
        return self._places.get(job_id)

    async def standing_of(self, job_id: str) -> dict[str, Any]:
        """Where a job that runs and has not written yet stood a second ago at most, if that was known."""
        await self._look_if_old()
        return self._beginning.get(job_id, {})

    async def _look_if_old(self) -> None:
        if monotonic() - self._looked_at >= FRESH_SECONDS:
            if self._looking is None:
                self._looking = asyncio.create_task(self._look(), name="places")
            await asyncio.shield(self._looking)

    async def _look(self) -> None:
        began = monotonic()
        try:
            watched = await self._lookup.all(_WATCHED, {})
            self._beginning = {row[0]: standing(row[4], datetime.fromisoformat(row[5])) for row in watched if row[4]}
            waiting = [row[:4] for row in watched if not row[4]]
            # A long queue is work for a thread: 15 ms for 10,000.
            self._places = await asyncio.to_thread(_places, waiting)
            self._looked_at = began
        finally:
            self._looking = None

"""Where an answer stands with its model server before its first word, shown once that takes longer than a moment."""

import asyncio
import contextlib

from app.db.lookup import Lookup
from app.jobs.event_log import EventLog, Lease
from app.jobs.states import Phase

SHOWN_AFTER = 0.5  # seconds
LOOK_SECONDS = 2.0

# Others write there already, as many as the server has ever written at once.
_IS_BUSY = """
SELECT count(*) >= coalesce((SELECT slots FROM queue_slots WHERE queue = :queue), 1) FROM jobs
WHERE status = 'running' AND queue = :queue AND id <> :id AND phase = 'writing'
"""


class Standing:
    """The phase of one run, as the provider reports it. `queues`: the server may make requests wait for each other."""

    def __init__(self, log: EventLog, lease: Lease, lookup: Lookup, *, queues: bool) -> None:
        self._log, self._lease, self._lookup, self._queues = log, lease, lookup, queues
        self._told: Phase | None = None
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._show(), name=f"standing-{lease.id}")

    def tell(self, phase: Phase) -> None:
        self._told = phase
        self._news.set()

    def over(self) -> None:
        """It writes, or has ended."""
        self._task.cancel()

    async def _show(self) -> None:
        await asyncio.sleep(SHOWN_AFTER)
        shown: Phase | None = None
        while True:
            phase = self._told
            if phase == Phase.reading and self._queues and await self._is_busy():
                phase = Phase.waiting
            if phase is not None and phase != shown:
                self._log.phase(self._lease, phase)
                shown = phase
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._news.wait()

    async def _is_busy(self) -> bool:
        try:
            row = await self._lookup.first(_IS_BUSY, {"queue": self._lease.job.queue, "id": self._lease.id})
        except self._log.transient:
            return False
        return bool(row and row[0])

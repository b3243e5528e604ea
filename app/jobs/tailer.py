"""One tailer per process: follows the events that other processes commit, for this process's viewers."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from operator import itemgetter
from typing import Any

from app.db.session import Database
from app.jobs.lease import StoredEvent
from app.jobs.notify import Hub

logger = logging.getLogger(__name__)

SAFETY_NET_SECONDS = 1.0
PAUSE_SECONDS = 0.005  # what is read is read together
MOST_ROWS = 10_000
GAP_SECONDS = 0.03  # two processes' rings may come in another order than their commits
_MISSED = "SELECT id, job_id, seq, event, data FROM job_events WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"


class Tailer:
    """Cost grows with processes, not with viewers: alone, it reads one pragma a second."""

    def __init__(self, database: Database, hub: Hub) -> None:
        self._database, self._hub = database, hub
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tailer")
        self._connection: Any = None
        self._seen = 0  # highest row id that was published here or needs not be
        self._data_version = 0
        self._ahead: list[tuple[int, int]] = []  # known rows behind some that are not
        self._minding: asyncio.TimerHandle | None = None
        self._rung = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._seen = await self._in_thread(self._open)
        self._task = asyncio.create_task(self._follow(), name="tailer")

    @property
    def alive(self) -> bool:
        return self._task is not None and not self._task.done()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._connection is not None:
            await self._in_thread(self._connection.close)
        self._thread.shutdown(wait=False)

    async def _in_thread(self, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    def _open(self) -> int:
        self._connection = self._database.connect(write=False)
        return self._last_row()

    def _last_row(self) -> int:
        row = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'job_events'").fetchone()
        return row[0] if row else 0

    def ring(self) -> None:
        """Another process says that it committed events."""
        self._rung.set()

    def known(self, first: int, last: int) -> None:
        """Rows first…last have been published here: only a gap before them is still to be read."""
        if last <= self._seen:
            return
        if first > self._seen + 1:
            self._ahead.append((first, last))
            self._mind_gap()
            return
        self._seen = last
        if self._ahead:
            self._catch_up_with_ahead()

    def brought(self, first: int, last: int, events: Sequence[tuple[str, StoredEvent]]) -> None:
        """Another process committed rows first…last, and says what they are; viewers go by a job's own numbers."""
        for job_id, group in groupby(events, key=itemgetter(0)):
            self._hub.publish(job_id, [event for _, event in group])
        if len(events) == last - first + 1:
            self.known(first, last)
        else:
            self.ring()

    def _catch_up_with_ahead(self) -> None:
        ahead, self._ahead = sorted(self._ahead), []
        for first, last in ahead:
            if first <= self._seen + 1:
                self._seen = max(self._seen, last)
            else:
                self._ahead.append((first, last))
        self._mind_gap()

    def _mind_gap(self) -> None:
        """What nobody brings soon was written by a request, or its ring was lost: it is read."""
        if self._ahead and self._minding is None:
            self._minding = asyncio.get_running_loop().call_later(GAP_SECONDS, self._close_gap)

    def _close_gap(self) -> None:
        self._minding = None
        if self._ahead:
            self.ring()

    async def _follow(self) -> None:
        while True:
            rung = True
            try:
                async with asyncio.timeout(SAFETY_NET_SECONDS):
                    await self._rung.wait()
            except TimeoutError:
                rung = False
            self._rung.clear()
            try:
                await self._catch_up(rung)
                if rung:
                    await asyncio.sleep(PAUSE_SECONDS)
            except Exception:
                logger.exception("the tailer could not read; trying again")
                await asyncio.sleep(SAFETY_NET_SECONDS)

    async def _catch_up(self, rung: bool) -> None:
        seen = self._seen
        while True:
            watching = len(self._hub) > 0
            last, rows = await self._in_thread(self._read, seen, rung, watching, sorted(self._ahead))
            if last > seen and not watching and len(self._hub) > 0:
                rung = True
                continue  # somebody came while this was read, and may have opened the log before what was skipped
            by_job: dict[str, list[StoredEvent]] = defaultdict(list)
            for _, job_id, seq, event, data in rows:
                by_job[job_id].append(StoredEvent(seq, event, data))
            for job_id, events in by_job.items():
                self._hub.publish(job_id, events)
            seen = max(seen, last)
            self._seen = max(self._seen, seen)
            self._catch_up_with_ahead()
            if len(rows) < MOST_ROWS:
                return

    def _read(self, seen: int, rung: bool, watching: bool, ahead: Sequence[tuple[int, int]]) -> tuple[int, list[Any]]:
        """Up to which row everything is known now, and what of it was not."""
        if not rung:
            version = self._connection.execute("PRAGMA data_version").fetchone()[0]
            if version == self._data_version:
                return seen, []
            self._data_version = version
        last = self._last_row()
        if last <= seen or not watching:
            return last, []
        rows: list[Any] = []
        for first, until in [*ahead, (last + 1, last)]:
            if first > seen + 1:
                rows += self._connection.execute(_MISSED, (seen, first - 1, MOST_ROWS - len(rows))).fetchall()
                if len(rows) == MOST_ROWS:
                    return rows[-1][0], rows
            seen = max(seen, until)
        return last, rows

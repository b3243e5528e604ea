"""One tailer per process: follows the events that other processes commit, for this process's viewers."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from app.db.session import Database
from app.jobs.lease import StoredEvent
from app.jobs.notify import Hub

logger = logging.getLogger(__name__)

SAFETY_NET_SECONDS = 1.0
PAUSE_SECONDS = 0.005  # a busy neighbour's commits are read together
_MISSED = "SELECT id, job_id, seq, event, data FROM job_events WHERE id > ? AND id <= ? ORDER BY id LIMIT 10000"


class Tailer:
    """Cost grows with processes, not with viewers: alone, it reads one pragma a second."""

    def __init__(self, database: Database, hub: Hub) -> None:
        self._database, self._hub = database, hub
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tailer")
        self._connection: Any = None
        self._seen = 0  # highest row id that was published here or needs not be
        self._data_version = 0
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

    def own_commit(self, first: int, last: int) -> None:
        """This process published rows first…last itself: only a gap before them is somebody else's."""
        if last < first or last <= self._seen:
            return
        if first <= self._seen + 1:
            self._seen = last
        else:
            self._rung.set()

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
            last, rows = await self._in_thread(self._read, seen, rung, watching)
            if last > seen and not watching and len(self._hub) > 0:
                rung = True
                continue  # somebody came while this was read, and may have opened the log before what was skipped
            by_job: dict[str, list[StoredEvent]] = defaultdict(list)
            for _, job_id, seq, event, data in rows:
                by_job[job_id].append(StoredEvent(seq, event, data))
            for job_id, events in by_job.items():
                self._hub.publish(job_id, events)
            self._seen = seen = max(seen, last)
            if len(rows) < 10_000:
                return

    def _read(self, seen: int, rung: bool, watching: bool) -> tuple[int, list[Any]]:
        if not rung:
            version = self._connection.execute("PRAGMA data_version").fetchone()[0]
            if version == self._data_version:
                return seen, []
            self._data_version = version
        last = self._last_row()
        if last <= seen or not watching:
            return last, []
        rows = self._connection.execute(_MISSED, (seen, last)).fetchall()
        return (rows[-1][0] if len(rows) == 10_000 else last), rows

"""Neighbours on PostgreSQL: NOTIFY says which jobs have something new, and the log is read from where viewers are.

Nothing depends on a notification: what was missed is found by looking every second.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import asyncpg

from app.db.postgres import CONNECT_SECONDS, for_asyncpg_address
from app.db.session import Database
from app.jobs.complaints import Complaints
from app.jobs.lease import StoredEvent
from app.jobs.notify import Hub

logger = logging.getLogger(__name__)

CHANNEL = "teahouse"
SAFETY_NET_SECONDS = 1.0
RECONNECT_SECONDS = 0.5
PAUSE_SECONDS = 0.005  # what is published in quick succession is told together
JOBS_IN_ONE = 200  # PostgreSQL takes 8,000 bytes
_MISSED = """
SELECT e.job_id, e.seq, e.event, e.data
FROM unnest(CAST(:jobs AS varchar[]), CAST(:after AS integer[])) AS w(job_id, after)
JOIN job_events e ON e.job_id = w.job_id AND e.seq > w.after ORDER BY e.job_id, e.seq LIMIT 10000
"""


class Listening:
    def __init__(self, database: Database, hub: Hub, owner: str, on_jobs: Callable[[], None]) -> None:
        assert isinstance(database.where, str)
        self._address, self._lookup = for_asyncpg_address(database.where), database.lookup
        self._hub, self._owner, self._on_jobs = hub, owner, on_jobs
        self._connection: Any = None
        self._lost = asyncio.Event()
        self._told: set[str] = set()  # jobs with something new, for the others
        self._jobs_told = False
        self._rung: set[str] = set()  # jobs with something new, from the others
        self._something = asyncio.Event()
        self._heard = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._complains = Complaints()
        hub.on_opened = self._look_at

    async def start(self) -> None:
        await self._connect()
        for work in (self._stay_connected, self._tell, self._follow):
            self._tasks.append(asyncio.create_task(work(), name=work.__name__))

    async def stop(self) -> None:
        await self._send()  # above all that leases were given back
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._connection is not None:
            self._connection.terminate()

    @property
    def alive(self) -> bool:
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    def tell_of_jobs(self) -> None:
        self._jobs_told = True
        self._something.set()

    def committed(self, first: int, last: int) -> None:
        return None

    def published(self, job_id: str, events: Sequence[StoredEvent]) -> None:
        self._told.add(job_id)
        self._something.set()

    def look_around(self) -> None:
        return None

    # --- the connection -----------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        connection = await asyncpg.connect(self._address, timeout=CONNECT_SECONDS, command_timeout=CONNECT_SECONDS)
        self._lost.clear()
        connection.add_termination_listener(lambda _: self._lost.set())
        await connection.add_listener(CHANNEL, self._on_notification)
        self._connection = connection

    async def _stay_connected(self) -> None:
        while True:
            await self._lost.wait()
            try:
                await self._connect()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                if self._complains():
                    logger.warning("the database cannot be listened to: %s", error)
                await asyncio.sleep(RECONNECT_SECONDS)
                self._lost.set()
            else:
                self._on_jobs()  # whatever was told meanwhile

    # --- telling ------------------------------------------------------------------------------------------------

    async def _tell(self) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            await self._send()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _send(self) -> None:
        told, self._told = sorted(self._told), set()
        lines = [f"e {self._owner} {' '.join(some)}" for some in _in_parts(told)]
        if self._jobs_told:
            self._jobs_told = False
            lines.append(f"j {self._owner}")
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            for line in lines:
                await self._connection.execute("SELECT pg_notify($1, $2)", CHANNEL, line)

    # --- following ----------------------------------------------------------------------------------------------

    def _on_notification(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        kind, owner, *jobs = str(payload).split(" ")
        if owner == self._owner:
            return
        if kind == "j":
            self._on_jobs()
        else:
            self._rung.update(jobs)
            self._heard.set()

    def _look_at(self, job_id: str) -> None:
        self._rung.add(job_id)
        self._heard.set()

    async def _follow(self) -> None:
        while True:
            rung: set[str] | None = None
            try:
                async with asyncio.timeout(SAFETY_NET_SECONDS):
                    await self._heard.wait()
                rung = self._rung
            except TimeoutError:
                pass
            self._rung = set()
            self._heard.clear()
            try:
                await self._catch_up(rung)
            except Exception:
                if self._complains():
                    logger.exception("the log could not be read; trying again")
                await asyncio.sleep(SAFETY_NET_SECONDS)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _catch_up(self, rung: set[str] | None) -> None:
        """Read what viewers here have not been shown: of the jobs that rang or, from time to time, of all."""
        positions = self._hub.positions()
        wanted = {job_id: seen for job_id, seen in positions.items() if rung is None or job_id in rung}
        if not wanted:
            return
        by_job: dict[str, list[StoredEvent]] = defaultdict(list)
        for job_id, seq, event, data in await self._lookup.all(
            _MISSED, {"jobs": list(wanted), "after": list(wanted.values())}
        ):
            by_job[job_id].append(StoredEvent(seq, event, data))
        for job_id, events in by_job.items():
            self._hub.publish(job_id, events)


def _in_parts(jobs: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(jobs), JOBS_IN_ONE):
        yield jobs[start : start + JOBS_IN_ONE]

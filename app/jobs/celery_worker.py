"""A Celery worker: many answers at once in one event loop. A task hands its job's id over and is done.

The loop has a thread of its own; the main thread and its signals are Celery's.
"""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from celery import signals

from app.jobs.celery_app import TASK, make_celery
from app.jobs.engine import Engine

logger = logging.getLogger(__name__)

OPEN_SECONDS = 30.0
ROOM_SECONDS = 0.05
OpenEngine = Callable[[], AbstractAsyncContextManager[Engine]]


class LoopThread:
    """The engine of this process, in a thread; `hint` may be called from any other."""

    def __init__(self, open_engine: OpenEngine) -> None:
        self._open_engine = open_engine
        self._ready, self._closing = threading.Event(), threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        """Raises what kept the engine from opening."""
        self._thread.start()
        if not self._ready.wait(OPEN_SECONDS):
            raise TimeoutError("the engine did not start")
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            self._error = error
            logger.exception("the engine has stopped")
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with self._open_engine() as engine:
            self._engine = engine
            self._ready.set()
            await self._stop.wait()

    def hint(self, job_id: str) -> None:
        """There is something to claim; held back while there is no room, so that another worker hears of it."""
        while not self._closing.is_set() and self._thread.is_alive():
            if self._engine.worker.has_room:
                self._loop.call_soon_threadsafe(self._engine.worker.wake)
                return
            self._closing.wait(ROOM_SECONDS)

    def close(self) -> None:
        """Begin to stop: leases go back at once."""
        if not self._closing.is_set() and self._thread.is_alive():
            self._closing.set()
            self._loop.call_soon_threadsafe(self._stop.set)

    def join(self) -> None:
        if self._thread.ident is not None:
            self._ready.wait(OPEN_SECONDS)  # one that is still opening cannot be told yet
            self.close()
            self._thread.join(OPEN_SECONDS)


def _leave(*_: Any) -> None:
    raise SystemExit(0)


def run_worker(redis_url: str, open_engine: OpenEngine, queues: Sequence[str], *, log_level: str) -> int:
    """Until SIGTERM (leases go back) or SIGINT. Celery's own exit code."""
    celery = make_celery(redis_url)
    jobs = LoopThread(open_engine)

    @celery.task(name=TASK)  # type: ignore[untyped-decorator]
    def run(job_id: str) -> None:
        jobs.hint(job_id)

    @signals.setup_logging.connect(weak=False)  # type: ignore[untyped-decorator]
    def keep_ours(**_: Any) -> None:
        """The application's logging stays."""

    @signals.worker_shutting_down.connect(weak=False)  # type: ignore[untyped-decorator]
    def shut_down(**_: Any) -> None:
        jobs.close()

    # Until Celery has its own handlers: leases may have been taken by then.
    signal.signal(signal.SIGTERM, _leave)
    try:
        jobs.start()
        worker = celery.Worker(
            pool="threads",
            concurrency=2,
            queues=list(queues),
            loglevel=log_level,
            hostname=None,
            without_mingle=True,  # it asks the other workers about clocks that we do not use
            without_gossip=True,
            quiet=True,
        )
        worker.start()
        return int(worker.exitcode or 0)
    finally:
        jobs.join()

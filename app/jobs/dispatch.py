"""Tell Celery's workers of a job, after its commit. A message is a hint: a lost one costs seconds, never a job."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from app.jobs.complaints import Complaints

if TYPE_CHECKING:
    from celery import Celery

logger = logging.getLogger(__name__)

MOST_WAITING = 1000  # while Redis does not answer; workers find the rest by themselves


class Dispatcher(Protocol):
    def dispatch(self, job_id: str, kind: str, priority: int) -> None: ...
    async def close(self) -> None: ...


class CeleryDispatcher:
    """On a thread of its own: kombu waits for the network, an event loop must not."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._celery: Celery | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="dispatch")
        self._waiting = 0
        self._complains = Complaints()

    def dispatch(self, job_id: str, kind: str, priority: int) -> None:
        if self._waiting >= MOST_WAITING:
            return
        self._waiting += 1
        work = asyncio.get_running_loop().run_in_executor(self._thread, self._send, job_id, kind, priority)
        work.add_done_callback(lambda _: self._sent())

    def _sent(self) -> None:
        self._waiting -= 1

    def _send(self, job_id: str, kind: str, priority: int) -> None:
        from app.jobs.celery_app import TASK, make_celery, queue_of

        try:
            if self._celery is None:
                self._celery = make_celery(self._redis_url)
            step = 0 if priority == 0 else 9
            self._celery.send_task(TASK, (job_id,), queue=queue_of(kind), priority=step, retry=False)
        except Exception as error:
            if self._complains():
                logger.warning("Redis takes no messages (%s); workers look by themselves every two seconds", error)

    async def close(self) -> None:
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)
        if self._celery is not None:
            self._celery.close()

"""Notices from outside when something holds up the event loop, and says what it is."""

import asyncio
import logging
import sys
import threading
import traceback
from collections.abc import Callable

from app.clock import monotonic
from app.observability import metrics

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
LATE_SECONDS = 0.5
FRAMES = 12


class LoopWatch:
    """`while_late` is called, in a thread, with the seconds for which the loop has been held up so far."""

    def __init__(self, while_late: Callable[[float], None] = lambda _seconds: None) -> None:
        self._while_late = while_late
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="loop-watch", daemon=True)

    def start(self) -> None:
        """Inside the loop."""
        self._loop, self._loop_thread = asyncio.get_running_loop(), threading.get_ident()
        self._tick()
        self._thread.start()

    async def stop(self) -> None:
        self._timer.cancel()
        self._ending.set()
        await self._loop.run_in_executor(None, self._thread.join)

    def _tick(self) -> None:
        self._ticked_at = monotonic()
        self._timer = self._loop.call_later(LOOK_SECONDS, self._tick)

    def _watch(self) -> None:
        looked_at, told = monotonic(), False
        while not self._ending.wait(LOOK_SECONDS):
            now = monotonic()
            was_stopped = now - looked_at > LATE_SECONDS  # the whole process: then nothing in it is to blame
            looked_at = now
            late = now - self._ticked_at - LOOK_SECONDS
            if late < LATE_SECONDS or was_stopped:
                told = False
                continue
            if not told:
                self._tell(late)
                told = True
            try:
                self._while_late(late)
            except Exception:
                logger.exception("what is done while the event loop is held up has failed")

    def _tell(self, late: float) -> None:
        metrics.LOOP_HELD_UP.add()
        frame = sys._current_frames().get(self._loop_thread)
        stack = traceback.extract_stack(frame)[-FRAMES:] if frame is not None else []
        places = " > ".join(f"{each.filename.rpartition('/')[2]}:{each.lineno} {each.name}" for each in stack)
        logger.warning("the event loop has been held up for %.1f s by %s", late, places)

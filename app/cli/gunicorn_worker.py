"""Gunicorn's worker and logger, as this app needs them."""

import contextlib
import os
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, Any

from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger as GunicornLogger
from uvicorn_worker import UvicornWorker

from app.cli.serving import UVICORN, Announce, ReadyServer

if TYPE_CHECKING:
    from fastapi import FastAPI

# Set before the fork by `teahouse serve`: the first worker tells the terminal that it serves.
announce: Announce | None = None


class Worker(UvicornWorker):  # type: ignore[misc]
    CONFIG_KWARGS = UVICORN

    def init_signals(self) -> None:
        super().init_signals()
        # Uvicorn raises the signal again when it has stopped: the default would kill us before the log is written.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _end)

    async def _serve(self) -> None:
        self.config.app = self.wsgi
        told = self._tell if self.age == 1 else None
        self._server = ReadyServer(self.config, self.wsgi, told, main_pid=self.ppid)
        self._install_sigquit_handler()
        await self._server.serve(sockets=self.sockets)
        if not self._server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)

    async def _tell(self, app: "FastAPI") -> None:
        """The first worker of all serves: whom this master was started to replace (USR2) may go."""
        if replaced := os.environ.get("GUNICORN_PID"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(replaced), signal.SIGTERM)
        if announce is not None:
            await announce(app)

    async def callback_notify(self) -> None:
        """The heartbeat to the master: one whose jobs stand still is replaced like one whose event loop does."""
        if self._server.watchdog.is_well:
            self.notify()


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


class Logger(GunicornLogger):  # type: ignore[misc]
    """To the log files that the app has set up, by way of the root logger; never to the terminal."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True

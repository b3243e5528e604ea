"""Gunicorn's worker and logger, as this app needs them."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, Any

from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger as GunicornLogger
from pydantic import ValidationError
from uvicorn_worker import UvicornWorker

from app.cli.serving import UVICORN, Announce, ReadyServer
from app.cli.terminal import told_of
from app.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

LOOK_SECONDS = 1.0

logger = logging.getLogger(__name__)

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
        self.config.app = app = _as_set_now(self.wsgi)
        told = self._tell if self.age == 1 else None
        self._server = ReadyServer(self.config, app, told, main_pid=self.ppid)
        self._install_sigquit_handler()
        watching = asyncio.create_task(self._end_with_master(), name="watch-master")
        await self._server.serve(sockets=self.sockets)
        watching.cancel()
        if not self._server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)

    async def _end_with_master(self) -> None:
        """A master that is killed by hand tells nobody: its workers would hold the port for ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if os.getppid() != self.ppid:
                break
        logger.error("the master is gone: this worker ends")
        os.kill(os.getpid(), signal.SIGTERM)

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


def _as_set_now(app: "FastAPI") -> "FastAPI":
    """The master's application, made anew where the settings have changed since: so that HUP takes up new ones.

    Where it listens the master has decided. Settings that cannot be used leave all as it was.
    """
    from app.main import create_app

    before: Settings = app.state.settings
    try:
        fresh = Settings()
    except ValidationError as error:
        logger.error("the new settings cannot be used: %s", told_of(error))
        return app
    decided = {name: getattr(before, name) for name in ("host", "port", "workers")}
    settings = fresh.model_copy(update=decided)
    return app if settings == before else create_app(settings)


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


class Logger(GunicornLogger):  # type: ignore[misc]
    """To the log files that the app has set up, by way of the root logger; never to the terminal."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True

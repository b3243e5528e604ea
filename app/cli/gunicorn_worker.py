"""Gunicorn's worker and logger, as this app needs them."""

import signal
import sys
from types import FrameType
from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger as GunicornLogger
from uvicorn_worker import UvicornWorker

from app.cli.serving import UVICORN, Announce, ReadyServer

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
        server = ReadyServer(self.config, self.wsgi, announce if self.age == 1 else None)
        self._install_sigquit_handler()
        await server.serve(sockets=self.sockets)
        if not server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


class Logger(GunicornLogger):  # type: ignore[misc]
    """To the log files that the app has set up, by way of the root logger; never to the terminal."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True

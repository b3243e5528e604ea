"""The servers that `teahouse serve` starts: uvicorn alone, or Gunicorn with uvicorn in its workers."""

import asyncio
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from uvicorn import Config, Server

if TYPE_CHECKING:
    from fastapi import FastAPI

Announce = Callable[["FastAPI"], Awaitable[None]]

# The edge of the app looks at proxies' headers itself, and writes its own log.
UVICORN: dict[str, Any] = {
    "loop": "uvloop",
    "http": "httptools",
    "ws": "none",
    "proxy_headers": False,
    "server_header": False,
    "access_log": False,
    "log_config": None,
    # An open stream would hold up a stop for ever.
    "timeout_graceful_shutdown": 3,
}
KEEP_ALIVE = 75  # longer than Nginx keeps an idle connection: it must never send on one that we are closing
BACKLOG = 2048


class ReadyServer(Server):
    """Says when it listens; a second signal ends it at once."""

    def __init__(self, config: Config, app: "FastAPI", announce: Announce | None) -> None:
        super().__init__(config)
        self._app, self._announce = app, announce
        self._announcing: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._announce is not None:
            self._announcing = asyncio.ensure_future(self._announce(self._app))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._announcing is not None:
            self._announcing.cancel()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            self.force_exit = True
        super().handle_exit(sig, frame)


def end_on_signals() -> None:
    """SIGTERM and Ctrl-C are an orderly end, not a failure: before, and again after, the server handles them."""

    def end(_number: int, _frame: FrameType | None) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)


def serve_alone(app: "FastAPI", listener: socket.socket, announce: Announce) -> None:
    config = Config(app, timeout_keep_alive=KEEP_ALIVE, backlog=BACKLOG, **UVICORN)
    ReadyServer(config, app, announce).run(sockets=[listener])


def serve_reloading(host: str, port: int, folder: Path) -> None:
    """For developers: starts anew when a source file changes."""
    import uvicorn

    folders = [str(folder / "app"), str(folder / "templates")]
    uvicorn.run("app.main:create_app", factory=True, host=host, port=port, reload=True, reload_dirs=folders, **UVICORN)


def gunicorn_settings(bind: str, workers: int) -> dict[str, Any]:
    """The same as deploy/gunicorn.conf.py."""
    return {
        "bind": [bind],
        "workers": workers,
        "worker_class": "app.cli.gunicorn_worker.Worker",
        "logger_class": "app.cli.gunicorn_worker.Logger",
        # Imports only: create_app() opens nothing, so nothing is shared by the fork but memory.
        "preload_app": True,
        "timeout": 60,
        "graceful_timeout": 10,
        "keepalive": KEEP_ALIVE,
        "backlog": BACKLOG,
        "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108 - heartbeats, not on disk
        "control_socket_disable": True,
    }


def serve_with_workers(
    make_app: Callable[[], "FastAPI"], listener: socket.socket, workers: int, tell: Announce
) -> None:
    from gunicorn.app.base import BaseApplication

    from app.cli import gunicorn_worker

    bind = f"fd://{listener.detach()}"  # from now on Gunicorn's to close

    class Application(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in gunicorn_settings(bind, workers).items():
                self.cfg.set(name, value)

        def load(self) -> "FastAPI":
            return make_app()

    gunicorn_worker.announce = tell
    Application().run()

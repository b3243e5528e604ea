"""The servers that `teahouse serve` starts: uvicorn alone, or Gunicorn with uvicorn in its workers."""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from gunicorn.systemd import SD_LISTEN_FDS_START
from uvicorn import Config, Server

from app.cli import systemd
from app.cli.db import migrate
from app.cli.protocol import DeadlineProtocol
from app.cli.secret import check_secret
from app.cli.terminal import read_settings
from app.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

Result = TypeVar("Result")
Announce = Callable[["FastAPI"], Awaitable[None]]

# The edge of the app looks at proxies' headers itself, and writes its own log.
UVICORN: dict[str, Any] = {
    "loop": "uvloop",
    "http": DeadlineProtocol,
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
LINGER = 0.3


class ReadyServer(Server):
    """Says when it listens, and that it lives; a second signal ends it at once."""

    def __init__(self, config: Config, app: "FastAPI", announce: Announce | None, *, main_pid: int) -> None:
        super().__init__(config)
        self._app, self._announce, self._main_pid = app, announce, main_pid
        self._tasks: list[asyncio.Task[None]] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.watchdog = systemd.Watchdog(self._app.state.services.engine.check)
        systemd.notify("READY=1", f"MAINPID={self._main_pid}")
        self._tasks.append(asyncio.ensure_future(self.watchdog.watch()))
        if self._announce is not None:
            self._tasks.append(asyncio.ensure_future(self._announce(self._app)))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for task in self._tasks:
            task.cancel()
        # What was accepted a moment ago has not been read yet. Cut off now, it would be a request that failed.
        for server in self.servers:
            server.close()
        await asyncio.sleep(LINGER)
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
    ReadyServer(config, app, announce, main_pid=os.getpid()).run(sockets=[listener])


def serve_reloading(host: str, port: int, folder: Path) -> None:
    """For developers: starts anew when a source file changes."""
    import uvicorn

    folders = [str(folder / "app"), str(folder / "templates")]
    uvicorn.run("app.main:create_app", factory=True, host=host, port=port, reload=True, reload_dirs=folders, **UVICORN)


def workers_of(settings: Settings) -> int:
    """SQLite has one writer, for which a third process would only wait. PostgreSQL keeps every core busy."""
    return settings.workers or (2 * (os.cpu_count() or 1) + 1 if settings.on_postgres else 2)


def gunicorn_settings(settings: Settings) -> dict[str, Any]:
    """For `teahouse serve --workers` and for deploy/gunicorn.conf.py."""
    return {
        "bind": [settings.address],  # a socket that systemd passes comes before it
        "workers": workers_of(settings),
        "worker_class": "app.cli.gunicorn_worker.Worker",
        "logger_class": "app.cli.gunicorn_worker.Logger",  # to the app's own log files
        # One import for all workers: they start in half the time and share its memory. create_app() opens nothing.
        # The price: HUP takes up no new code. A deploy is USR2 or a restart.
        "preload_app": True,
        # A worker whose event loop hangs, or whose jobs nobody looks after, is replaced after so many seconds.
        "timeout": 60,
        "graceful_timeout": 10,  # uvicorn ends streams within 3 s, the rest is for the last commit; systemd waits 20
        # Nothing here grows with the number of requests, and each replacement would interrupt streams.
        "max_requests": 0,
        "max_requests_jitter": 0,
        "keepalive": KEEP_ALIVE,
        "backlog": BACKLOG,
        # Heartbeats are file times: on a disk that stalls they would kill healthy workers.
        "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108
        "control_socket_disable": True,
        "pre_fork": _share_what_is_loaded,
        "pre_exec": _hand_over,
    }


def _share_what_is_loaded(_arbiter: Any, _worker: Any) -> None:
    """A worker that looked through all of it for garbage would copy it."""
    gc.collect()
    gc.freeze()


def _hand_over(arbiter: Any) -> None:
    """Before USR2's new master: it looks for systemd's socket where systemd puts it, and Gunicorn has moved it."""
    if arbiter.systemd:
        for number, listener in enumerate(arbiter.LISTENERS, start=SD_LISTEN_FDS_START):
            os.dup2(listener.fileno(), number)


def for_gunicorn() -> dict[str, Any]:
    """What deploy/gunicorn.conf.py sets: the same, and a migration by the master before any worker starts."""
    settings = _or_exit(read_settings)
    return {**gunicorn_settings(settings), "on_starting": lambda _arbiter: _or_exit(lambda: _prepare(settings))}


def _prepare(settings: Settings) -> None:
    migrate(settings)
    check_secret(settings)


def _or_exit(act: Callable[[], Result]) -> Result:
    """Gunicorn would put a stack trace around the line that says what is wrong."""
    try:
        return act()
    except typer.Exit as ended:
        sys.exit(ended.exit_code)


def serve_with_workers(
    make_app: Callable[[], "FastAPI"], listener: socket.socket, settings: Settings, tell: Announce
) -> None:
    from gunicorn.app.base import BaseApplication

    from app.cli import gunicorn_worker

    bind = f"fd://{listener.detach()}"  # from now on Gunicorn's to close

    class Application(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in {**gunicorn_settings(settings), "bind": [bind]}.items():
                self.cfg.set(name, value)

        def load(self) -> "FastAPI":
            return make_app()

    gunicorn_worker.announce = tell
    Application().run()

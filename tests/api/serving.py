"""The real application on a real uvicorn, with the scripted model server beside it, in a thread of their own."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
from fastapi import FastAPI

from app.cli.protocol import DeadlineProtocol
from app.http.deps import Services
from app.main import create_app
from app.settings import Settings
from tests.databases import new_database_url
from tests.model_server import ModelServer

Result = TypeVar("Result")


@dataclass
class Served:
    """A server that runs; `run` does something inside its event loop."""

    app: FastAPI
    model: ModelServer
    settings: Settings
    url: str
    loop: asyncio.AbstractEventLoop

    @property
    def services(self) -> Services:
        services: Services = self.app.state.services
        return services

    async def run(self, work: Callable[[], Awaitable[Result]]) -> Result:
        async def inside() -> Result:
            return await work()

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(inside(), self.loop))


def settings_for(folder: Path, **values: Any) -> Settings:
    """Without limits on how often, without waiting for the disk: tests are quick."""
    return Settings(
        _env_file=None,
        **{
            "data_dir": folder,
            "embedded_model": "off",
            "rate_limit": 0,
            "log_level": "WARNING",
            "sqlite_sync": "normal",
            **values,
        },
    )


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self._ready.set()


@contextmanager
def serving(folder: Path, **values: Any) -> Iterator[Served]:
    # asyncio asks for TCP_NODELAY only where the protocol is named; without it each answer waits 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(512)
    port: int = listening.getsockname()[1]
    ready = threading.Event()
    made: list[tuple[Served, uvicorn.Server]] = []

    async def main() -> None:
        async with ModelServer() as model:
            settings = settings_for(folder, **{"ollama_url": model.url, "database_url": new_database_url(), **values})
            app = create_app(settings)
            config = uvicorn.Config(
                app,
                http=DeadlineProtocol,
                ws="none",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                timeout_graceful_shutdown=5,
            )
            server = _Server(config, ready)
            loop = asyncio.get_running_loop()
            made.append((Served(app, model, settings, f"http://localhost:{port}", loop), server))
            await server.serve(sockets=[listening])

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    try:
        assert ready.wait(20) and made[0][1].started
        yield made[0][0]
    finally:
        if made:
            made[0][1].should_exit = True
        thread.join(15)
        listening.close()


async def titles_are_made(served: Served) -> None:
    """What follows a first answer by itself. One that waits behind somebody's answer is not waited for."""
    query = "SELECT 1 FROM jobs WHERE kind = 'title' AND status IN ('queued', 'running')"
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            while await served.run(lambda: served.services.database.lookup.first(query, {})):  # noqa: ASYNC110
                await asyncio.sleep(0.02)

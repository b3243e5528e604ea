"""The only place where everything meets: create_app() and what a process opens and closes."""

import asyncio
import ctypes
import gc
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any

from fastapi import FastAPI

from app import __version__, job_handlers, migrations
from app.accounts.throttling import Throttle
from app.api.docs import install_docs
from app.api.v1.router import router as api_router
from app.db.session import Database
from app.feed.feed import Feed
from app.generations.endings import Endings
from app.generations.service import Generations
from app.http.deps import Services
from app.http.edge import install_edge
from app.http.signing_in import is_stranger
from app.http.viewers import MAX_FEEDS_PER_PROCESS, Viewers
from app.observability import metrics, tracing
from app.observability.logging import setup_logging
from app.providers.catalog import Providers
from app.security.keys import keyring_of
from app.settings import Settings
from app.web.router import install_pages
from app.web.spa import install_spa

logger = logging.getLogger(__name__)

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h
LARGE = 2**20  # bytes


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application of one process. Nothing is opened before lifespan: a fork must not share a connection."""
    settings = settings or Settings()
    app = FastAPI(
        title="Teahouse",
        version=__version__,
        summary="A self-hosted AI chat server that never loses an answer.",
        lifespan=_lifespan,
        # Ours tell less of people (observability/tracing.py); a variable of the environment could switch these on.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = settings
    app.include_router(api_router, prefix="/api/v1")
    install_docs(app)
    install_pages(app, settings)
    install_spa(app)
    install_edge(app, settings, is_stranger=is_stranger)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    setup_logging(settings)
    _give_large_buffers_back()
    await asyncio.to_thread(migrations.upgrade, settings.database)
    counts = metrics.count_in(settings.run_dir)
    traces = tracing.begin(settings, counts.path.stem)
    services = app.state.services = await _open(settings)
    app.state.checks.register("jobs", services.engine.check)
    app.state.draining = False
    restore = _drain_on_sigterm(app, services)
    _spare_the_collector()
    logger.info("serving: version %s, process %s", __version__, services.engine.owner)
    try:
        yield
    finally:
        restore()
        await _close(services)
        if traces is not None:
            traces.close()
        counts.close()
        logger.info("stopped")


async def _open(settings: Settings) -> Services:
    database = Database(settings.database, sync=settings.sqlite_sync)
    providers = await Providers.open(settings)
    engine = job_handlers.make_engine(settings, database, providers)
    await engine.start()
    return Services(
        settings=settings,
        keyring=keyring_of(settings),
        throttle=Throttle(settings.rate_limit),
        database=database,
        providers=providers,
        engine=engine,
        generations=Generations(settings, database, providers, engine),
        endings=Endings(database, engine),
        viewers=Viewers(settings.max_streams_per_user),
        feed=Feed(database.lookup, engine.hub, engine.places, is_postgres=database.is_postgres),
        feed_viewers=Viewers(settings.max_streams_per_user, MAX_FEEDS_PER_PROCESS),
    )


def _give_large_buffers_back() -> None:
    """What took a mebibyte or more goes back to the system once it is free.

    By itself glibc begins to keep what it sees come and go: the 19 MiB of a password's hash for each thread that has
    ever made one (measured: 114 MiB a process).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc alone has it
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE)
        mallopt(M_TRIM_THRESHOLD, 2 * LARGE)


def _spare_the_collector() -> None:
    """What a process has loaded by now stays: looking through it all again held up every stream by 90 ms (measured)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


async def _close(services: Services) -> None:
    await services.engine.stop()
    await services.providers.aclose()
    await services.database.dispose()


def _drain_on_sigterm(app: FastAPI, services: Services) -> Callable[[], None]:
    """Begin to drain at the signal itself: lifespan's end runs only after the last connection has closed.

    Uvicorn's (or Gunicorn's) own handler is called after ours.
    """
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[Any]] = set()

    def drain() -> None:
        app.state.draining = True
        task = asyncio.create_task(services.engine.drain())
        tasks.add(task)

    previous: dict[int, Any] = {}

    def handler(number: int, frame: FrameType | None) -> None:
        if not app.state.draining:
            loop.call_soon_threadsafe(drain)
        if callable(previous[number]):
            previous[number](number, frame)

    def restore() -> None:
        for number, old in previous.items():
            signal.signal(number, old)

    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            previous[number] = signal.signal(number, handler)
    except ValueError:  # not the main thread: a test's server
        previous.clear()
    return restore


def __getattr__(name: str) -> Any:
    """`app.main:app` for Gunicorn and uvicorn, made when asked for."""
    if name == "app":
        application = globals()["app"] = create_app()
        return application
    raise AttributeError(name)

"""Every domain's handlers, so that the registry is complete, and the engine that runs them."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from app.conversations.deleting import purge_deleted
from app.db.session import Database
from app.feed.feed import Pruner
from app.generations.handlers import AnswerHandler
from app.generations.loop import GenerationServices
from app.generations.titles import TitleHandler, end_old_titles
from app.jobs.engine import Engine
from app.jobs.exporter import exporting
from app.jobs.registry import register
from app.jobs.slots import Slots
from app.jobs.worker import Claims
from app.observability import metrics, tracing
from app.providers import pulling
from app.providers.catalog import Providers
from app.providers.pulling import PullHandler
from app.settings import Settings


def register_all(settings: Settings) -> None:
    register("answer", AnswerHandler(settings.answer_timeout))
    register("title", TitleHandler())
    register("model_pull", PullHandler())


def make_engine(settings: Settings, database: Database, providers: Providers, claims: Claims | None = None) -> Engine:
    """What a process does with jobs. `claims`: what it may run; by default everything, or nothing beside Celery."""
    register_all(settings)
    return Engine(
        settings,
        database,
        slots_of=lambda queue: Slots(pulling.SLOTS) if queue == pulling.QUEUE else providers.slots(queue),
        services=GenerationServices(settings, database, providers),
        duties=[purge_deleted, end_old_titles, Pruner()],
        claims=claims,
    )


def claims_of(named: Collection[str], at_once: int) -> Claims:
    """What a worker of these Celery queues may run."""
    priorities = [number for number, name in enumerate(("answers", "titles")) if name in named]
    only = frozenset({pulling.QUEUE}) if not priorities else None
    without = frozenset() if "downloads" in named else frozenset({pulling.QUEUE})
    return Claims(priorities=tuple(priorities or [0]), only=only, without=without, at_once=at_once, poll_seconds=2.0)


@asynccontextmanager
async def running_engine(settings: Settings, claims: Claims) -> AsyncIterator[Engine]:
    """Open everything that running jobs needs, and close it."""
    counts = metrics.count_in(settings.run_dir)
    traces = tracing.begin(settings, counts.path.stem)
    database, providers = Database(settings.database), await Providers.open(settings)
    engine = make_engine(settings, database, providers, claims)
    await engine.start()
    try:
        async with exporting(settings.metrics_port, database.lookup):
            yield engine
    finally:
        await engine.stop()
        await providers.aclose()
        await database.dispose()
        if traces is not None:
            traces.close()
        counts.close()

"""One process's services without HTTP: what lifespan opens, for tests of jobs and generations."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app import job_handlers
from app.db.session import Database
from app.generations.endings import Endings
from app.generations.service import Generations
from app.jobs.engine import Engine
from app.providers.catalog import Providers
from app.settings import Settings


@dataclass(slots=True)
class Process:
    settings: Settings
    database: Database
    providers: Providers
    engine: Engine
    generations: Generations
    endings: Endings


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Process]:
    """Open, serve jobs, and close like a drained server."""
    database, providers = Database(settings.database), Providers(settings)
    engine = job_handlers.make_engine(settings, database, providers)
    await engine.start()
    try:
        generations = Generations(settings, database, providers, engine)
        yield Process(settings, database, providers, engine, generations, Endings(database, engine))
    finally:
        await engine.stop()
        await providers.aclose()
        await database.dispose()

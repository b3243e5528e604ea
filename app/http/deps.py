"""What a route may ask for: the process's services and a session that ends before the answer goes out."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.throttling import Throttle
from app.db.session import Database
from app.feed.feed import Feed
from app.generations.endings import Endings
from app.generations.service import Generations
from app.http.viewers import Viewers
from app.jobs.engine import Engine
from app.providers.catalog import Providers
from app.security.keys import Keyring
from app.settings import Settings


@dataclass(slots=True)
class Services:
    """What one process has, opened in lifespan; `request.app.state.services`."""

    settings: Settings
    keyring: Keyring
    throttle: Throttle
    database: Database
    providers: Providers
    engine: Engine
    generations: Generations
    endings: Endings
    viewers: Viewers
    feed: Feed
    feed_viewers: Viewers


def get_services(request: Request) -> Services:
    return cast(Services, request.app.state.services)


async def _services(request: Request) -> Services:
    """For routes: FastAPI sends what is not async to a thread, which costs more than the look-up."""
    return get_services(request)


ServicesDep = Annotated[Services, Depends(_services)]


async def read_session(services: ServicesDep) -> AsyncIterator[AsyncSession]:
    async with services.database.read() as session:
        yield session


async def write_session(services: ServicesDep) -> AsyncIterator[AsyncSession]:
    async with services.database.transaction() as session:
        yield session


# scope="function": the commit comes before the answer; by default FastAPI would commit after it was sent.
ReadSession = Annotated[AsyncSession, Depends(read_session, scope="function")]
WriteSession = Annotated[AsyncSession, Depends(write_session, scope="function")]

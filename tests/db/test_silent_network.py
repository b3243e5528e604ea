"""A network that swallows everything: who asks PostgreSQL is told in time, and asks again when it is back. (F23)"""

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from app.clock import monotonic
from app.db import postgres as on_postgres
from app.db.session import Database
from app.errors import AppError
from tests.proxy import Proxy, proxy_to

if TYPE_CHECKING:
    from tests.postgres import Server

ANSWER_SECONDS = 0.5
PATIENCE = 3.0  # with what asyncpg does about it itself


@pytest.fixture
def proxy(postgres: "Server") -> Iterator[Proxy]:
    with proxy_to(postgres.socket) as proxy:
        yield proxy


@pytest.fixture
async def database(proxy: Proxy, postgres: "Server", monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    monkeypatch.setattr(on_postgres, "ANSWER_SECONDS", ANSWER_SECONDS)
    monkeypatch.setattr(on_postgres, "CONNECT_SECONDS", ANSWER_SECONDS)
    database = Database(postgres.url_at(postgres.new_database(), proxy.port))
    yield database
    await database.dispose()


async def look_up(database: Database) -> object:
    return await database.lookup.first("SELECT 1", {})


async def read(database: Database) -> object:
    async with database.read() as session:
        return await session.scalar(text("SELECT 1"))


async def write(database: Database) -> object:
    async with database.transaction() as session:
        return await session.scalar(text("SELECT 1"))


@pytest.mark.parametrize("ask", [look_up, read, write])
async def test_F23_what_is_swallowed_is_told_in_time(database: Database, proxy: Proxy, ask: object) -> None:
    assert callable(ask)
    expected = await ask(database)  # on a connection that is open already
    with proxy.silent():
        began = monotonic()
        with pytest.raises(AppError) as error:
            await ask(database)
        assert error.value.code == "database_unavailable"
        assert monotonic() - began < PATIENCE
    assert await ask(database) == expected

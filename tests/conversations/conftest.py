"""Alice and Bob."""

import pytest

from app.accounts.principal import Principal
from app.db.session import Database
from tests.factories.people import add_person


@pytest.fixture
async def alice(database: Database) -> Principal:
    return await add_person(database, "alice")


@pytest.fixture
async def bob(database: Database) -> Principal:
    return await add_person(database, "bob")

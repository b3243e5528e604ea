"""One server for the tests that do not change it, and new people for each test."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from tests.api.people import Person, bearer, person, sign_in
from tests.api.serving import Served, serving
from tests.factories.accounts import PASSWORD


@pytest.fixture(scope="session", autouse=True)
def _on_each(kind_of_database: str) -> None:
    """All of this folder is about what a server answers, also where a test starts one of its own."""


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, kind_of_database: str) -> Iterator[Served]:
    """Dana was the first to register there. One for each kind of database."""
    with serving(tmp_path_factory.mktemp("served") / "data") as running:
        answer = httpx.post(
            f"{running.url}/api/v1/auth/register",
            json={"username": "dana", "email": "dana@example.org", "password": PASSWORD},
        )
        assert answer.status_code == 201 and answer.json()["role"] == "admin", answer.text
        yield running


@pytest.fixture
async def client(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody in particular."""
    async with httpx.AsyncClient(base_url=served.url, timeout=15, verify=False) as client:
        yield client


@pytest.fixture
async def browser(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    """What a script on our own pages sends, with its cookies."""
    async with httpx.AsyncClient(
        base_url=served.url, timeout=15, verify=False, headers={"Origin": served.url}
    ) as client:
        yield client


@pytest.fixture
async def alice(served: Served) -> AsyncIterator[Person]:
    alice = await person(served, "alice")
    async with alice.client:
        yield alice
    await served.run(lambda: served.services.endings.cancel_all(alice.id))


@pytest.fixture
async def bob(served: Served) -> AsyncIterator[Person]:
    bob = await person(served, "bob")
    async with bob.client:
        yield bob
    await served.run(lambda: served.services.endings.cancel_all(bob.id))


@pytest.fixture
async def dana(served: Served) -> AsyncIterator[Person]:
    tokens = await sign_in(served.url, "dana")
    async with bearer(served.url, tokens["access_token"]) as client:
        me = (await client.get("/api/v1/auth/me")).json()
        yield Person("dana", me["id"], client, tokens)


@pytest.fixture
async def stolen(served: Served, alice: Person) -> dict[str, Any]:
    """The tokens of another sign-in of Alice's, which somebody else holds."""
    return await sign_in(served.url, alice.name)

"""One server for all tests of pages, and people who are signed in by cookie."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.api.serving import Served, serving
from tests.web.visitor import Visitor, visitor


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, kind_of_database: str) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("pages") / "data") as running:
        yield running


@pytest.fixture
async def nobody(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    """Signed out."""
    async with httpx.AsyncClient(base_url=served.url, timeout=15, verify=False) as client:
        yield client


@pytest.fixture
async def alice(served: Served) -> AsyncIterator[Visitor]:
    async with await visitor(served, "alice") as alice:
        yield alice


@pytest.fixture
async def charlie(served: Served) -> AsyncIterator[Visitor]:
    """A stranger to what is Alice's."""
    async with await visitor(served, "charlie") as charlie:
        yield charlie


@pytest.fixture
async def dana(served: Served) -> AsyncIterator[Visitor]:
    """Administers."""
    async with await visitor(served, "dana", role="admin") as dana:
        yield dana

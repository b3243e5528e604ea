"""A scripted server, and a provider of each kind that talks to it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from app.providers.base import ChatProvider
from app.providers.registry import make_provider
from app.settings import Settings
from tests.model_server import ModelServer
from tests.providers.asking import settings_for

MakeProvider = Callable[..., ChatProvider]


@pytest.fixture(params=["ollama", "openai"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer(flavour="llama.cpp") as server:
        yield server


@pytest.fixture
async def make(server: ModelServer, kind: str) -> AsyncIterator[MakeProvider]:
    """A provider of this kind, connected to the scripted server; closed at the end."""
    made: list[ChatProvider] = []

    def provider(**settings: Any) -> ChatProvider:
        made.append(make_provider(kind, reaching(server, **settings)))
        return made[-1]

    yield provider
    for one in made:
        await one.aclose()


@pytest.fixture
def provider(make: MakeProvider) -> ChatProvider:
    return make()


def reaching(server: ModelServer, **settings: Any) -> Settings:
    return settings_for(**{"ollama_url": server.url, "openai_base_url": server.openai_url, **settings})

"""Slow is not dead: a model server that shows that it lives is waited for, whatever it does meanwhile."""

from typing import Any

import pytest

from app.clock import monotonic
from app.providers import http
from app.providers.errors import FirstTokenTimeout
from app.providers.ollama.client import OllamaProvider
from app.providers.openai_compatible.client import from_settings
from tests.model_server import ModelServer, answer_for
from tests.providers.asking import closing, heard, question, settings_for, text_of
from tests.providers.conftest import MakeProvider

SLOW = "hi [[tokens=3 first=1500]]"  # five times as long as a sign of life is waited for


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(http, "LIFE_SECONDS", 0.3)
    monkeypatch.setattr(http, "FIRST_TOKEN_SECONDS", 0.5)


def ollama(server: ModelServer, **settings: Any) -> OllamaProvider:
    return OllamaProvider(settings_for(first_token_timeout=0, connect_timeout=0.1, **settings), server.url)


async def test_F08_a_server_that_loads_or_reads_for_long_is_asked_once(make: MakeProvider, server: ModelServer) -> None:
    """Ollama and llama.cpp."""
    provider = make(first_token_timeout=0, connect_timeout=0.1)
    assert text_of(await heard(provider, question(SLOW))) == "".join(answer_for(SLOW))
    assert len(server.chats) == 1


async def test_F09_without_a_sign_of_life_it_is_not_waited_for(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dead(_: OllamaProvider) -> bool:
        return False

    monkeypatch.setattr(OllamaProvider, "_lives", dead)
    async with closing(ollama(server)) as provider:
        began = monotonic()
        error = (await heard(provider, question(SLOW))).error
        assert type(error) is FirstTokenTimeout and not error.permanent
        assert monotonic() - began < 1.2


async def test_F09_the_operators_own_limit_holds(server: ModelServer) -> None:
    provider = OllamaProvider(settings_for(first_token_timeout=0.3, connect_timeout=0.1), server.url)
    async with closing(provider):
        assert type((await heard(provider, question(SLOW))).error) is FirstTokenTimeout


async def test_F09_where_nothing_is_known_there_is_a_limit_and_no_second_try() -> None:
    async with ModelServer() as server:
        settings = settings_for(openai_base_url=server.openai_url, first_token_timeout=0, connect_timeout=0.1)
        async with closing(from_settings(settings)) as provider:
            error = (await heard(provider, question(SLOW))).error
    assert type(error) is FirstTokenTimeout and error.permanent


async def test_silence_after_the_first_token_is_still_a_cut(server: ModelServer) -> None:
    async with closing(ollama(server, idle_timeout=0.3)) as provider:
        began = monotonic()
        events = await heard(provider, question("hi [[tokens=9 fault=hang_after:3]]"))
        assert events.error is not None and events.error.code == "interrupted"
        assert monotonic() - began < 1.5

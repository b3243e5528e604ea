"""Several model servers behind one name: who is asked, and who instead."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from app.jobs.slots import Slots
from app.providers import pool
from app.providers.catalog import Providers
from app.providers.errors import FirstTokenTimeout, ModelNotFound, ProviderCut, ProviderUnavailable
from app.providers.ollama.client import OllamaProvider
from app.providers.pool import KeepingPool, Pool
from app.providers.registry import make_provider
from tests.factories.people import add_person
from tests.generations.asking import new_talk, words
from tests.jobs.waiting import until
from tests.model_server import ModelServer, answer_for
from tests.ports import free_port
from tests.process import running
from tests.providers.asking import all_events, heard, question, settings_for, text_of

SLOW = "tea [[tokens=endless rate=200]]"


@pytest.fixture
async def servers() -> AsyncIterator[list[ModelServer]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(ModelServer()) for _ in range(2)]


@pytest.fixture
async def ollama(servers: list[ModelServer]) -> AsyncIterator[KeepingPool[OllamaProvider]]:
    made = make_provider("ollama", settings_for(ollama_url=addresses(servers), model_slots=2))
    assert isinstance(made, KeepingPool)
    yield made
    await made.aclose()


def addresses(servers: list[ModelServer]) -> str:
    return ", ".join(server.url for server in servers)


@asynccontextmanager
async def asking(ollama: Pool[Any], model: str = "scripted:latest") -> AsyncIterator[None]:
    """An answer without an end, begun."""
    events = ollama.chat(question(SLOW, model=model))
    await anext(events)
    try:
        yield
    finally:
        await events.aclose()


def chats(servers: list[ModelServer]) -> list[int]:
    return [len(server.chats) for server in servers]


async def test_the_list_is_of_all_and_says_what_is_wrong_with_some(servers: list[ModelServer]) -> None:
    servers[1].models = ["other:latest"]
    gone = f"http://127.0.0.1:{free_port()}"
    providers = Providers(settings_for(ollama_url=f"{addresses(servers)},{gone}"))
    listed = await providers.models()
    await providers.aclose()
    assert {m.id for m in listed.items} == {"ollama/scripted:latest", "ollama/thinker:latest", "ollama/other:latest"}
    (problem,) = listed.problems
    assert (problem.provider, problem.code, problem.is_away) == ("ollama", "partly_away", False)
    assert gone.removeprefix("http://") in problem.message
    assert providers.slots("ollama") == Slots(3, learned=True)


async def test_a_hanging_one_does_not_hold_up_the_list(
    servers: list[ModelServer], ollama: Pool[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "LIST_SECONDS", 0.3)
    servers[0].path_faults = {"/api/tags": "hang"}
    async with asyncio.timeout(1):
        assert len(await ollama.list_models()) == 2


async def test_the_less_busy_of_those_that_have_the_model_loaded_is_asked(
    servers: list[ModelServer], ollama: Pool[Any]
) -> None:
    for server in servers:
        server.loaded.add("scripted:latest")
    async with asking(ollama), asking(ollama), asking(ollama), asking(ollama):
        assert chats(servers) == [2, 2]


async def test_nobody_loads_the_model_anew_before_the_slots_are_taken_where_it_is(
    servers: list[ModelServer], ollama: Pool[Any]
) -> None:
    servers[1].loaded.add("scripted:latest")
    async with asking(ollama), asking(ollama):
        assert chats(servers) == [0, 2]
        async with asking(ollama):
            assert chats(servers) == [1, 2]


async def test_only_who_has_the_model_is_asked(servers: list[ModelServer], ollama: Pool[Any]) -> None:
    servers[0].models = ["other:latest"]
    async with asking(ollama), asking(ollama), asking(ollama, "other:latest"):
        assert chats(servers) == [1, 2]
    with pytest.raises(ModelNotFound):
        await all_events(ollama, question("tea", model="nobody-has-it"))


async def test_one_that_is_away_costs_nobody_anything(servers: list[ModelServer], ollama: Pool[Any]) -> None:
    await ollama.list_models()
    await servers[0].stop()
    for number in range(4):
        assert text_of(await all_events(ollama, question(f"tea {number}"))) == "".join(answer_for(f"tea {number}"))
    assert chats(servers)[1] == 4
    await servers[1].stop()
    with pytest.raises(ProviderUnavailable):
        await all_events(ollama, question("tea"))


async def test_who_breaks_off_is_left_alone_for_a_while(servers: list[ModelServer], ollama: Pool[Any]) -> None:
    cut = await heard(ollama, question("tea [[fault=cut_after:3 times=1]]"))
    assert isinstance(cut.error, ProviderCut)
    broke = next(i for i, server in enumerate(servers) if server.chats)
    for _ in range(3):
        await all_events(ollama, question("more tea"))
    assert len(servers[broke].chats) == 1


async def test_what_may_have_been_billed_is_not_asked_of_another(servers: list[ModelServer]) -> None:
    urls = ",".join(server.openai_url for server in servers)
    provider = make_provider(
        "openai", settings_for(openai_base_url=urls, openai_paid="yes", first_token_timeout=0.2, connect_timeout=0.2)
    )
    with pytest.raises(FirstTokenTimeout):
        await all_events(provider, question("tea [[fault=hang]]"))
    await provider.aclose()
    assert sum(chats(servers)) == 1


async def test_models_are_fetched_and_dropped_everywhere(
    servers: list[ModelServer], ollama: KeepingPool[OllamaProvider]
) -> None:
    steps = [step.status async for step in ollama.pull("new:latest")]
    assert sum("success" in step for step in steps) == 2
    assert all("new:latest" in server.models for server in servers)
    servers[0].models.remove("new:latest")
    await ollama.delete("new:latest")
    assert "new:latest" not in servers[1].models
    with pytest.raises(ModelNotFound):
        await ollama.delete("new:latest")


async def test_F10_an_answer_goes_on_at_another_server_when_its_own_dies(
    servers: list[ModelServer], settings: Any, database: Any
) -> None:
    given = {"ollama_url": addresses(servers), "default_model": "ollama/scripted:latest"}
    async with running(settings.model_copy(update=given)) as process:
        talk = await new_talk(process, await add_person(database, "alice"))
        prompt = "tea [[tokens=60 rate=60]]"
        sent = await talk.send(prompt)

        async def has_begun() -> bool:
            return (await talk.job(sent.job.id)).last_event_id > 8

        await until(has_begun)
        first, second = sorted(servers, key=lambda server: -len(server.chats))
        await first.stop()
        answer = await talk.ended(sent)
    assert (answer.status, answer.content) == ("complete", words(prompt))
    assert len(second.chats) == 1
    assert second.chats[0].json["messages"][-1]["role"] == "assistant"

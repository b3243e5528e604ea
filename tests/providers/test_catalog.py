"""The list of models of all providers: a dead one neither delays nor empties the others'."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.clock import monotonic
from app.jobs.slots import Slots
from app.providers import catalog, registry
from app.providers.base import ModelInfo
from app.providers.catalog import ModelList, ModelProblem, Providers, queue_of
from app.providers.openai_compatible import price
from tests.model_server import ModelServer
from tests.ports import free_port
from tests.providers.asking import closing, settings_for


@pytest.fixture(autouse=True)
def _no_real_ollama(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "DEFAULT_OLLAMA_URL", f"http://127.0.0.1:{free_port()}")


async def test_a_refusing_provider_is_a_problem_beside_the_others_models() -> None:
    async with ModelServer() as server:
        settings = settings_for(ollama_url=f"http://127.0.0.1:{free_port()}", openai_base_url=server.openai_url)
        async with closing(Providers(settings)) as providers:
            listed = await providers.models()
            assert [m.id for m in listed.items] == ["openai/scripted:latest", "openai/thinker:latest"]
            assert [p.provider for p in listed.problems] == ["ollama"]
            assert "cannot be reached" in listed.problems[0].message


async def test_a_hanging_provider_costs_the_deadline_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "DEADLINE", 0.3)
    async with ModelServer() as dead, ModelServer() as server:
        dead.path_faults = {"/api/tags": "hang"}
        settings = settings_for(ollama_url=dead.url, openai_base_url=server.openai_url)
        async with closing(Providers(settings)) as providers:
            began = monotonic()
            listed = await providers.models()
            assert 0.25 < monotonic() - began < 1
            assert len(listed.items) == 2
            assert [p.provider for p in listed.problems] == ["ollama"]


async def test_the_last_list_is_served_while_a_new_one_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "FRESH_SECONDS", 0.0)
    async with ModelServer() as server, closing(Providers(settings_for(ollama_url=server.url))) as providers:
        first = await providers.models()
        assert [m.name for m in first.items] == ["scripted:latest", "thinker:latest"]
        server.path_faults = {"/api/tags": "hang"}
        server.models.append("new:latest")
        began = monotonic()
        assert (await providers.models()).items == first.items
        assert monotonic() - began < catalog.DEADLINE / 2


async def test_a_fresh_list_is_not_asked_for_again() -> None:
    async with ModelServer() as server, closing(Providers(settings_for(ollama_url=server.url))) as providers:
        await asyncio.gather(*(providers.models() for _ in range(20)))
        await providers.models()
        assert len([r for r in server.requests if r.path == "/api/tags"]) == 1


async def test_a_provider_that_comes_back_is_listed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "FRESH_SECONDS", 0.05)
    port = free_port()
    settings = settings_for(ollama_url=f"http://127.0.0.1:{port}")
    async with closing(Providers(settings)) as providers:
        assert (await providers.models()).problems
        async with ModelServer(port=port):
            async with asyncio.timeout(3):
                while not (await providers.models()).items:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            assert (await providers.models()).problems == []


async def test_an_ollama_that_nobody_asked_for_may_be_absent_in_silence() -> None:
    async with closing(Providers(settings_for())) as providers:
        listed = await providers.models()
        assert (listed.items, listed.problems) == ([], [])
        assert providers.names() == ["ollama"]


async def test_an_ollama_that_is_simply_there_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ModelServer() as server:
        monkeypatch.setattr("app.providers.ollama.client.DEFAULT_OLLAMA_URL", server.url)
        async with closing(Providers(settings_for())) as providers:
            assert [m.provider for m in (await providers.models()).items] == ["ollama", "ollama"]


async def test_what_is_listed_of_a_model() -> None:
    async with ModelServer() as server, closing(Providers(settings_for(ollama_url=server.url))) as providers:
        server.loaded.add("thinker:latest")
        plain, thinker = (await providers.models()).items
        assert (plain.context_length, plain.capabilities, plain.loaded) == (8192, ("chat",), False)
        assert (thinker.context_length, thinker.capabilities, thinker.loaded) == (4096, ("chat", "thinking"), True)


async def test_a_name_that_is_too_long_is_not_offered() -> None:
    async with ModelServer(models=("x" * 201, "y" * 200, "")) as server:
        settings = settings_for(ollama_url=server.url, openai_base_url=server.openai_url)
        async with closing(Providers(settings)) as providers:
            listed = await providers.models()
            assert [m.id for m in listed.items] == ["ollama/" + "y" * 200, "openai/" + "y" * 200]


@pytest.mark.parametrize("body", ["status:500", "html", "status:404", "error200"])
async def test_a_list_that_is_none_is_a_problem(body: str) -> None:
    async with ModelServer() as server:
        server.path_faults = {"/api/tags": body, "/v1/models": body}
        settings = settings_for(ollama_url=server.url, openai_base_url=server.openai_url)
        async with closing(Providers(settings)) as providers:
            listed = await providers.models()
            assert listed.items == []
            assert {p.provider for p in listed.problems} == {"ollama", "openai"}


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("0.11.10", "This Ollama, 0.11.10, leaves out the beginning of a long conversation without a word."),
        ("0.12.0", None),
        ("0.17.4", None),
        ("5.0-somebody's", None),
    ],
)
async def test_an_ollama_that_cuts_in_silence_is_named(version: str, told: str | None) -> None:
    async with (
        ModelServer(version=version) as server,
        closing(Providers(settings_for(ollama_url=server.url))) as providers,
    ):
        listed = await providers.models()
        assert listed.items, "it answers all the same"
        assert [problem.message.startswith(told or "?") for problem in listed.problems] == ([True] if told else [])


async def test_an_ollama_behind_v1_is_named_with_the_address_to_set() -> None:
    async with ModelServer(flavour="ollama") as server:
        settings = settings_for(ollama_url="", openai_base_url=server.openai_url)
        async with closing(Providers(settings)) as providers:
            listed = await providers.models()
            told = [p.message for p in listed.problems if p.provider == "openai"]
            assert listed.items
            assert [f"Set TEAHOUSE_OLLAMA_URL={server.url} instead." in message for message in told] == [True]


@pytest.mark.parametrize(
    ("model_slots", "ollama", "openai", "embedded"),
    [
        (None, Slots(1, learned=True), 4, 2),
        ("", Slots(1, learned=True), 4, 2),
        (0, Slots(0), 0, 2),
        (1, Slots(1), 1, 1),
        (9, Slots(9), 9, 2),
    ],
)
async def test_slots(model_slots: object, ollama: Slots, openai: int, embedded: int) -> None:
    settings = settings_for(model_slots=model_slots, ollama_url="http://a", openai_base_url="http://b/v1")
    async with closing(Providers(settings)) as providers:
        assert [providers.slots(name) for name in ("ollama", "openai", "embedded")] == [
            ollama,
            Slots(openai),
            Slots(embedded),
        ]
        assert providers.slots("ollama/llama3:8b") == ollama
        assert providers.slots("removed") == Slots(1)


async def test_llama_cpp_tells_how_many_it_writes_at_once() -> None:
    async with (
        ModelServer(flavour="llama.cpp") as server,
        closing(Providers(settings_for(openai_base_url=server.openai_url))) as providers,
    ):
        assert providers.slots("openai") == Slots(4)
        await providers.models()
        assert providers.slots("openai") == Slots(2)


@pytest.mark.parametrize(
    ("model_slots", "model", "queue"),
    [
        (None, "ollama/llama3:8b", "ollama/llama3:8b"),
        (2, "ollama/llama3:8b", "ollama"),
        (None, "openai/gpt", "openai"),
        (None, "embedded/demo", "embedded"),
    ],
)
def test_where_answers_wait(model_slots: int | None, model: str, queue: str) -> None:
    assert queue_of(settings_for(model_slots=model_slots), model) == queue


async def test_an_unknown_or_unconfigured_provider_is_a_key_error() -> None:
    async with closing(Providers(settings_for())) as providers:
        for name in ("openai", "embedded", "nobody", ""):
            with pytest.raises(KeyError):
                providers.get(name)
        assert providers.get("ollama") is providers.get("ollama")


@pytest.mark.parametrize(
    ("url", "spelled", "paid"),
    [
        ("https://api.openai.com/v1", "auto", True),
        ("http://192.168.1.7:8080/v1", "auto", False),
        ("http://192.168.1.7:8080/v1", "yes", True),
        ("https://api.openai.com/v1", "no", False),
    ],
)
async def test_who_is_paid(url: str, spelled: str, paid: bool) -> None:
    async with closing(Providers(settings_for(openai_base_url=url, openai_paid=spelled))) as providers:
        assert providers.get("openai").paid is paid


def test_importing_the_catalog_imports_no_aiohttp() -> None:
    program = "import sys, app.providers.catalog; sys.exit('aiohttp' in sys.modules or 'xllamacpp' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0


def listing(models: str, *away: str) -> ModelList:
    items = []
    for model in models.split():
        provider, _, name = model.partition("/")
        items.append(ModelInfo(provider, name, capabilities=("chat", "demo") if name == "demo" else ("chat",)))
    return ModelList(items, [ModelProblem(provider, "It is away.") for provider in away])


@pytest.mark.parametrize(
    ("models", "away", "first"),
    [
        ("ollama/a embedded/demo", [], "ollama/a"),
        ("embedded/demo openai/b", [], "openai/b"),
        ("embedded/demo", [], "embedded/demo"),
        ("embedded/demo", ["embedded"], "embedded/demo"),
        ("embedded/demo", ["ollama"], None),
        ("openai/b embedded/demo", ["ollama"], "openai/b"),
        ("", ["ollama"], None),
        ("", [], None),
    ],
)
def test_the_demo_model_does_not_stand_in_for_a_server_that_is_away(
    models: str, away: list[str], first: str | None
) -> None:
    found = listing(models, *away).first
    assert (found and found.id) == first


async def test_a_server_that_is_back_is_there_at_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "AWAY_SECONDS", 0.0)
    server = ModelServer()
    await server.start()
    async with closing(Providers(settings_for(ollama_url=server.url))) as providers:
        await server.stop()
        listed = await providers.models()
        assert (listed.items, len(listed.problems)) == ([], 1)
        await server.start()
        listed = await providers.models()
        assert (len(listed.items), listed.problems) == (2, [])
    await server.stop()


@pytest.mark.parametrize(
    ("leads_to", "paid"),
    [
        (["10.0.0.7"], False),
        (["127.0.0.1", "::1"], False),
        (["fd00::7"], False),
        (["93.184.216.34", "10.0.0.7"], True),
        (["104.18.6.192"], True),
        ([], True),
    ],
)
async def test_whether_it_costs_money_is_asked_of_the_address_and_not_of_its_spelling(
    leads_to: list[str], paid: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look_up(host: str, *_: object, **__: object) -> list[Any]:
        assert host == "llm.corp.example.org"
        if not leads_to:
            raise OSError("no such name")
        return [(0, 0, 0, "", (address, 0)) for address in leads_to]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    settings = settings_for(openai_base_url="https://llm.corp.example.org/v1", openai_paid="auto")
    async with closing(await Providers.open(settings)) as providers:
        assert providers.get("openai").paid is paid


async def test_a_silent_name_server_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait(*_: object, **__: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(price, "LOOKUP_SECONDS", 0.01)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", wait)
    settings = settings_for(openai_base_url="http://gpu.lan:8080/v1", openai_paid="auto")
    async with closing(await Providers.open(settings)) as providers:
        assert providers.get("openai").paid is False


async def test_a_server_that_is_too_old_is_no_server_that_is_away() -> None:
    async with ModelServer(version="0.11.4") as old:
        settings = settings_for(ollama_url=old.url, openai_base_url=f"http://127.0.0.1:{free_port()}/v1")
        async with closing(Providers(settings)) as providers:
            listed = await providers.models(fresh=True)
    assert {problem.provider: (problem.code, problem.is_away) for problem in listed.problems} == {
        "ollama": ("cuts_prompts", False),
        "openai": ("unavailable", True),
    }
    assert {model.provider for model in listed.items} == {"ollama"}
    assert listed.first is not None

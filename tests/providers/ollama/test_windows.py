"""How many tokens a model is asked to hold: as its Modelfile says, as it is loaded, as memory allows."""

from typing import Any

import pytest

from app.providers.base import ChatOptions, ChatRequest, PromptMessage
from app.providers.ollama.client import OllamaProvider
from app.providers.ollama.windows import WindowFacts, memory_of, window_facts_of
from tests.model_server import ModelServer
from tests.providers.asking import all_events, settings_for

GIB = 1 << 30
MODEL = "scripted:latest"
LLAMA = {
    "general.architecture": "llama",
    "llama.context_length": 131_072,
    "llama.block_count": 28,
    "llama.embedding_length": 3072,
    "llama.attention.head_count": 24,
    "llama.attention.head_count_kv": 8,
    "llama.attention.key_length": 128,
    "llama.attention.value_length": 128,
}


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ({}, WindowFacts()),
        (None, WindowFacts()),
        ({"parameters": 'stop "x"\nnum_ctx                        16384\ntemperature 1'}, WindowFacts(given=16384)),
        ({"parameters": "num_ctx 99999999999999"}, WindowFacts()),
        ({"parameters": "num_ctx many"}, WindowFacts()),
        ({"model_info": LLAMA}, WindowFacts(longest=131_072, token_bytes=28 * 8 * 256 * 2)),
        (
            {"model_info": {k: v for k, v in LLAMA.items() if "_length" not in k or "embedding" in k}},
            WindowFacts(token_bytes=28 * 8 * 256 * 2),
        ),
        (
            {"model_info": LLAMA | {"llama.attention.head_count_kv": [0, 8, 2]}},
            WindowFacts(longest=131_072, token_bytes=28 * 8 * 256 * 2),
        ),
        ({"model_info": {"x.block_count": "many", "x.attention.head_count_kv": []}}, WindowFacts()),
        ({"remote_host": "https://ollama.com:443"}, WindowFacts(is_elsewhere=True)),
    ],
)
def test_what_a_model_is_shown_as(shown: Any, expected: WindowFacts) -> None:
    assert window_facts_of("a-model", shown) == expected


@pytest.mark.parametrize(
    ("facts", "loaded", "memory", "expected"),
    [
        (WindowFacts(), None, None, 8192),
        (WindowFacts(longest=2048), None, None, 2048),
        (WindowFacts(longest=131_072), None, 64 * GIB, 8192),
        (WindowFacts(given=16_384, longest=8192), 4096, 8 * GIB, 16_384),
        (WindowFacts(given=2048, longest=8192), 4096, None, 2048),
        (WindowFacts(longest=131_072), 4096, None, 4096),
        (WindowFacts(longest=131_072, token_bytes=114_688), None, None, 8192),
        (WindowFacts(longest=131_072, token_bytes=114_688), None, 2 * GIB, 2048),
        (WindowFacts(longest=131_072, token_bytes=114_688), None, 8 * GIB, 8192),
        (WindowFacts(longest=131_072, token_bytes=114_688), None, 23 * GIB, 16_384),
        (WindowFacts(longest=131_072, token_bytes=114_688), None, 512 * GIB, 32_768),
        (WindowFacts(longest=4096, token_bytes=114_688), None, 512 * GIB, 4096),
        (WindowFacts(given=4096, longest=262_144, is_elsewhere=True), None, None, 262_144),
    ],
)
def test_the_choice(facts: WindowFacts, loaded: int | None, memory: int | None, expected: int) -> None:
    assert facts.choice(loaded, memory) == expected


def test_only_this_machines_memory_is_known() -> None:
    here = memory_of("http://127.0.0.1:11434")
    assert here is not None
    assert here > GIB // 4
    assert memory_of("http://gpu.example.org:11434") is None


async def windows_asked(server: ModelServer, provider: OllamaProvider, **options: Any) -> list[int | None]:
    before = len(server.requests)
    await all_events(provider, ChatRequest(MODEL, [PromptMessage("user", "hello")], ChatOptions(**options)))
    asked = [r for r in server.requests[before:] if r.path in ("/api/chat", "/api/generate")]
    return [request.json["options"].get("num_ctx") for request in asked]


async def test_the_operators_window_is_kept_and_nothing_is_loaded_twice() -> None:
    async with ModelServer(parameters="num_ctx 16384") as server:
        provider = OllamaProvider(settings_for(), server.url)
        assert await windows_asked(server, provider) == [16_384, 16_384]
        assert await windows_asked(server, provider) == [16_384]
        assert (await provider.list_models())[0].context_length == 16_384
        assert server.scheduler.loads == [MODEL]
        await provider.aclose()


async def test_what_another_program_has_loaded_is_used_as_it_is() -> None:
    async with ModelServer() as server:
        await server.scheduler.load(MODEL, 4096)
        provider = OllamaProvider(settings_for(), server.url)
        assert await windows_asked(server, provider) == [4096]
        await server.scheduler.load(MODEL, 2048)
        assert await windows_asked(server, provider) == [4096], "it is constant between turns"
        await provider.aclose()


async def test_the_administrators_and_the_conversations_windows_come_first() -> None:
    async with ModelServer(parameters="num_ctx 4096") as server:
        provider = OllamaProvider(settings_for(ollama_context_length=2048), server.url)
        assert await windows_asked(server, provider) == [2048, 2048]
        assert await windows_asked(server, provider, num_ctx=1024) == [1024]
        await provider.aclose()


async def test_a_model_elsewhere_is_asked_for_no_window_and_not_loaded() -> None:
    name = "big:120b-cloud"
    async with ModelServer(models=(name,)) as server:
        provider = OllamaProvider(settings_for(ollama_context_length=2048), server.url)
        await all_events(provider, ChatRequest(name, [PromptMessage("user", "hello")]))
        (chat,) = server.chats
        assert "num_ctx" not in chat.json["options"]
        assert [request for request in server.requests if request.path == "/api/generate"] == []
        await provider.aclose()

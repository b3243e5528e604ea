"""What goes to Ollama and what comes back, seen from the server's side."""

import asyncio
from dataclasses import replace

import pytest
from ollama import AsyncClient

from app.providers import http
from app.providers.base import PullProgress
from app.providers.errors import ContextOverflow, ModelNotFound, ProviderRejected
from app.providers.ollama.client import OllamaProvider
from tests.model_server import ModelServer, answer_for, thinking_for
from tests.providers.asking import (
    all_events,
    closing,
    end_of,
    heard,
    question,
    settings_for,
    text_of,
    thinking_of,
    usage_of,
)


def connected(server: ModelServer, **settings: float) -> OllamaProvider:
    return OllamaProvider(settings_for(**settings), server.url)


async def test_overflow_is_an_error_and_the_window_is_constant() -> None:
    async with ModelServer() as server, closing(connected(server)) as provider:
        await all_events(provider, question("one"))
        await all_events(provider, question("two", temperature=0.5))
        for request in server.chats:
            assert request.json["truncate"] is False
            assert request.json["shift"] is False
            assert request.json["options"]["num_ctx"] == 8192
            assert "think" not in request.json
        assert len([r for r in server.requests if r.path == "/api/show"]) == 1
        too_long = await heard(provider, question("word " * 9000))
        assert isinstance(too_long.error, ContextOverflow)


async def test_answers_that_wait_together_share_each_look_at_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LOOK_SECONDS", 0.1)
    async with ModelServer() as server, closing(connected(server, first_token_timeout=0)) as provider:
        await all_events(provider, question("hi"))  # the window is decided
        server.requests.clear()
        waiting = [all_events(provider, question("hi [[tokens=1 first=700]]")) for _ in range(20)]
        await asyncio.gather(*waiting)
        paths = [request.path for request in server.requests]
        assert paths.count("/api/chat") == 20
        assert 1 <= paths.count("/api/version") <= 3
        assert paths.count("/api/ps") <= 2 + paths.count("/api/version")


async def test_a_look_from_before_the_model_was_loaded_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers beside it look every other second: nobody who waits behind the load may be told that it still loads."""
    monkeypatch.setattr(http, "LOOK_SECONDS", 0.05)
    async with ModelServer() as server, closing(connected(server, first_token_timeout=0)) as provider:
        server.scheduler.load_seconds = 0.4
        told: list[str] = []
        asked = replace(question("hi [[tokens=1 first=400]]"), on_phase=lambda phase: told.append(str(phase)))
        await all_events(provider, asked)
        assert list(dict.fromkeys(told)) == ["loading", "reading"] and "loading" not in told[told.index("reading") :]


async def test_options_have_ollamas_names() -> None:
    async with ModelServer() as server, closing(connected(server)) as provider:
        request = question(
            "hi",
            temperature=0.1,
            top_p=0.2,
            top_k=3,
            max_tokens=4,
            seed=5,
            stop=("x",),
            repeat_penalty=1.2,
            think=False,
        )
        await all_events(provider, request)
        (sent,) = server.chats
        assert sent.json["options"] == {
            "num_ctx": 8192,
            "temperature": 0.1,
            "top_p": 0.2,
            "top_k": 3,
            "num_predict": 4,
            "seed": 5,
            "stop": ["x"],
            "repeat_penalty": 1.2,
        }
        assert sent.json["think"] is False
        assert [m["role"] for m in sent.json["messages"]] == ["system", "user"]
        assert sent.headers["Accept-Encoding"] == "identity"
        assert "Cookie" not in sent.headers


async def test_thinking_is_separate() -> None:
    async with ModelServer() as server, closing(connected(server)) as provider:
        prompt = "hi [[think=4 tokens=3]]"
        events = await all_events(provider, question(prompt, model="thinker:latest", think=True))
        assert thinking_of(events) == "".join(thinking_for(prompt))
        assert text_of(events) == "".join(answer_for(prompt))
        assert usage_of(events).context_length == 8192
        assert end_of(events).reason == "stop"
        refused = await heard(provider, question("hi", think=True))
        assert isinstance(refused.error, ProviderRejected)


async def test_a_pull_reports_its_progress_and_a_model_comes_and_goes() -> None:
    async with ModelServer(pull_delay=0) as server, closing(connected(server)) as provider:
        progress = [step async for step in provider.pull("fresh:1b")]
        assert progress[0] == PullProgress("pulling manifest")
        assert progress[-1] == PullProgress("success")
        assert max(step.done or 0 for step in progress) == 100_000_000
        assert "fresh:1b" in [model.name for model in await provider.list_models()]
        await provider.delete("fresh:1b")
        assert "fresh:1b" not in [model.name for model in await provider.list_models()]
        with pytest.raises(ModelNotFound):
            await provider.delete("fresh:1b")
        with pytest.raises(ModelNotFound):
            [step async for step in provider.pull("missing:1b")]


async def test_unloading_gives_the_memory_back() -> None:
    async with ModelServer() as server, closing(connected(server)) as provider:
        await all_events(provider, question("hi"))
        assert server.loaded == {"scripted:latest"}
        await provider.unload("scripted:latest")
        assert server.loaded == set()


async def test_the_official_client_understands_the_scripted_server() -> None:
    """Else our provider and our server might agree on something that is not Ollama's protocol."""
    async with ModelServer(pull_delay=0) as server:
        client = AsyncClient(host=server.url)
        try:
            assert [m.model for m in (await client.list()).models] == server.models
            prompt = "hi [[tokens=5 think=2]]"
            messages = [{"role": "user", "content": prompt}]
            chunks = [c async for c in await client.chat("thinker", messages, stream=True, think=True)]
            assert "".join(c.message.content or "" for c in chunks) == "".join(answer_for(prompt))
            assert "".join(c.message.thinking or "" for c in chunks) == "".join(thinking_for(prompt))
            assert (chunks[-1].done, chunks[-1].done_reason, chunks[-1].eval_count) == (True, "stop", 7)
            whole = await client.chat("thinker", messages)
            assert whole.message.content == "".join(answer_for(prompt))
            assert [m.model for m in (await client.ps()).models] == ["thinker"]
            shown = await client.show("thinker")
            assert shown.capabilities == ["completion", "thinking"]
            assert (shown.modelinfo or {})["scripted.context_length"] == 8192
            steps = [step.status async for step in await client.pull("fresh:1b", stream=True)]
            assert steps[-1] == "success"
            assert (await client.delete("fresh:1b")).status == "success"
        finally:
            await client._client.aclose()

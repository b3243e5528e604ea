"""Addresses of model servers and names of models, as people write them."""

import pytest
from aiohttp import web

from app.errors import AppError
from app.providers.base import ChatRequest, PromptMessage
from app.providers.http import Upstream
from app.providers.ollama.client import OllamaProvider, from_settings
from app.providers.openai_compatible.client import OpenAIProvider
from app.providers.pulling import check_name
from app.settings import is_local_address
from tests.model_server import ModelServer
from tests.ports import free_port
from tests.providers.asking import all_events, settings_for

ASKED = ChatRequest("scripted:latest", [PromptMessage("user", "hello [[tokens=2]]")])


@pytest.mark.parametrize(
    "name",
    [
        "llama3.2",
        "llama3.2:3b",
        "someone/model:latest",
        "hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M",
        "registry.example.org/team/model:v1",
    ],
)
def test_names_that_a_model_may_have(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/model",
        "a//b",
        "a/b/c/d",
        "a/../b",
        "http://x/y",
        "a b",
        "a:b:c/d:e",
        "example.org:80/a/b",
        "-a",
        "a/b:",
        "host:x/model",
    ],
)
def test_names_that_none_has(name: str) -> None:
    with pytest.raises(AppError):
        check_name(name)


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("http://127.0.0.1:8080/v1", True),
        ("http://[::1]:8080/v1", True),
        ("http://192.168.1.5/v1", True),
        ("http://llama:8080/v1", True),
        ("http://gpu.local/v1", True),
        ("http://host.docker.internal:1234/v1", True),
        ("http://gpu.lan:8080/v1", True),
        ("https://api.openai.com/v1", False),
        ("https://8.8.8.8/v1", False),
        ("http://[2001:4860:4860::8888]/v1", False),
        ("https://my.azure.com/openai?api-version=1", False),
    ],
)
def test_what_costs_money(url: str, is_local: bool) -> None:
    assert is_local_address(url) is is_local


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
async def test_ollamas_address_may_be_the_one_that_other_programs_want(ending: str) -> None:
    async with ModelServer() as server:
        provider = from_settings(settings_for(ollama_url=server.url + ending))
        assert isinstance(provider, OllamaProvider)
        assert len(await provider.list_models()) == 2
        await provider.aclose()


async def test_a_query_of_the_address_goes_along_with_every_request() -> None:
    async with ModelServer() as server:
        upstream = Upstream(f"{server.openai_url}?api-version=2024-10-21", settings_for())
        provider = OpenAIProvider(upstream)
        await provider.list_models()
        await all_events(provider, ASKED)
        assert {request.query for request in server.requests} == {"api-version=2024-10-21"}
        await provider.aclose()


async def test_a_proxy_of_the_environment_is_for_what_is_far(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def proxy(request: web.Request) -> web.Response:
        asked.append(str(request.url))
        return web.json_response({"object": "list", "data": [{"id": "far"}]})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", proxy)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    far = OpenAIProvider(Upstream("http://models.example.org/v1", settings_for()))
    assert [model.name for model in await far.list_models()] == ["far"]
    assert asked == ["http://models.example.org/v1/models"]
    async with ModelServer() as server:
        near = OpenAIProvider(Upstream(server.openai_url, settings_for()))
        assert len(await near.list_models()) == 2
        await near.aclose()
    assert len(asked) == 1
    await far.aclose()
    await runner.cleanup()

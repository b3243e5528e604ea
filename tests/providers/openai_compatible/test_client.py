"""What goes to an OpenAI-compatible server and what comes back."""

import logging
from typing import Any

import pytest

from app.providers.errors import CredentialsRefused, ProviderCut, ProviderUnavailable
from app.providers.events import Usage
from app.providers.openai_compatible.client import OpenAIProvider, from_settings
from tests.model_server import ModelServer, answer_for, thinking_for
from tests.ports import free_port
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


def connected(server: ModelServer, **settings: Any) -> OpenAIProvider:
    provider = from_settings(settings_for(openai_base_url=server.openai_url, **settings))
    assert isinstance(provider, OpenAIProvider)
    return provider


@pytest.mark.parametrize("spelling", ["reasoning_content", "reasoning", "thinking", "inline"])
async def test_thinking_in_every_spelling(spelling: str) -> None:
    async with ModelServer() as server, closing(connected(server)) as provider:
        prompt = f"hi [[think=4 tokens=3 reasoning={spelling}]]"
        events = await all_events(provider, question(prompt))
        assert thinking_of(events) == "".join(thinking_for(prompt))
        assert text_of(events) == "".join(answer_for(prompt))


async def test_llama_cpp_is_recognised_and_goes_on() -> None:
    async with ModelServer(flavour="llama.cpp") as server, closing(connected(server)) as provider:
        assert await provider.can_continue("scripted:latest") is True
        whole = "".join(answer_for("hi [[tokens=9]]"))
        events = await all_events(provider, question("hi [[tokens=9]]", whole[:17], top_k=3, repeat_penalty=1.2))
        assert whole[:17] + text_of(events) == whole
        (sent,) = server.chats
        assert sent.json["chat_template_kwargs"] == {"enable_thinking": False}
        assert (sent.json["top_k"], sent.json["repeat_penalty"]) == (3, 1.2)
        assert usage_of(events).context_length == 4096  # the slot's, not the model's 8192


async def test_others_do_not_go_on() -> None:
    async with ModelServer() as server, closing(connected(server)) as provider:
        assert await provider.can_continue("scripted:latest") is False


async def test_whether_an_absent_server_goes_on_is_not_guessed() -> None:
    provider = from_settings(settings_for(openai_base_url=f"http://127.0.0.1:{free_port()}/v1"))
    async with closing(provider):
        with pytest.raises(ProviderUnavailable):
            await provider.can_continue("scripted:latest")


async def test_a_paid_server_gets_only_what_openai_knows() -> None:
    async with ModelServer() as server, closing(connected(server, openai_paid="yes")) as provider:
        await all_events(provider, question("hi", top_k=3, repeat_penalty=1.1, temperature=0.2, think="low"))
        (sent,) = server.chats
        assert set(sent.json) == {
            "model",
            "messages",
            "stream",
            "stream_options",
            "temperature",
            "reasoning_effort",
        }


async def test_a_server_that_knows_no_usage_answers_without() -> None:
    async with ModelServer(knows_usage=False) as server, closing(connected(server)) as provider:
        for _ in range(2):
            events = await all_events(provider, question("hi [[tokens=3]]"))
            assert usage_of(events) == Usage()
            assert end_of(events).reason == "stop"
        assert len(server.chats) == 3  # the second answer did not ask in vain again


async def test_the_end_is_a_finish_reason() -> None:
    async with ModelServer() as server, closing(connected(server)) as provider:
        events = await all_events(provider, question("hi [[tokens=3 fault=no_done]]"))
        assert end_of(events).reason == "stop"
        assert usage_of(events).completion_tokens == 3
        only_done = await all_events(provider, question("hi [[tokens=3 fault=only_done]]"))
        assert end_of(only_done).reason == "stop" and text_of(only_done)
        blank = await heard(provider, question("hi [[tokens=0 fault=only_done]]"))
        assert isinstance(blank.error, ProviderCut)
        filtered = await all_events(provider, question("hi [[tokens=3 finish=content_filter]]"))
        assert end_of(filtered).reason == "content_filter"


async def test_A65_the_key_is_sent_and_never_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="app")
    key = "sk-canary-1234567890"
    async with ModelServer(api_key=key) as server:
        async with closing(connected(server, openai_api_key=key)) as provider:
            assert text_of(await all_events(provider, question("hi")))
        wrong = "sk-canary-wrong-key"
        async with closing(connected(server, openai_api_key=wrong)) as provider:
            error = (await heard(provider, question("hi"))).error
            assert isinstance(error, CredentialsRefused)
            assert "Incorrect API key" in error.message
            assert wrong not in error.message
            assert "canary" not in repr(error)
        async with closing(connected(server, openai_api_key="sk-canary\nInjected: yes")) as provider:
            error = (await heard(provider, question("hi"))).error
            assert error is not None
            assert "canary" not in error.message
    assert "canary" not in caplog.text

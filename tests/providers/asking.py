"""How the tests ask a provider: settings without an environment, one question, the events of an answer."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from app.providers.base import ChatOptions, ChatProvider, ChatRequest, PromptMessage
from app.providers.errors import ProviderError
from app.providers.events import ChatEvent, Finished, TextDelta, ThinkingDelta, Usage
from app.settings import Settings


class QuietSettings(Settings):
    """Neither the environment nor a .env file has a say in tests."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def settings_for(**values: Any) -> Settings:
    defaults = {"embedded_model": "off", "first_token_timeout": 5.0, "idle_timeout": 5.0, "connect_timeout": 2.0}
    return QuietSettings(**{**defaults, **values})


def question(prompt: str, prefix: str | None = None, *, model: str = "scripted:latest", **options: Any) -> ChatRequest:
    messages = [PromptMessage("system", "Be brief."), PromptMessage("user", prompt)]
    if prefix is not None:
        messages.append(PromptMessage("assistant", prefix))
    return ChatRequest(model, messages, ChatOptions(**options), continues=prefix is not None)


async def all_events(provider: ChatProvider, request: ChatRequest) -> list[ChatEvent]:
    return [event async for event in provider.chat(request)]


class Heard(list[ChatEvent]):
    """Events up to an error, and that error."""

    error: ProviderError | None = None


async def heard(provider: ChatProvider, request: ChatRequest) -> Heard:
    events = Heard()
    try:
        async for event in provider.chat(request):
            events.append(event)
    except ProviderError as error:
        events.error = error
    return events


def text_of(events: Sequence[ChatEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def thinking_of(events: Sequence[ChatEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, ThinkingDelta))


def end_of(events: Sequence[ChatEvent]) -> Finished:
    """The one Finished, which is the last event."""
    assert [event for event in events if isinstance(event, Finished)] == events[-1:]
    assert isinstance(events[-1], Finished)
    return events[-1]


def usage_of(events: Sequence[ChatEvent]) -> Usage:
    (usage,) = [event for event in events if isinstance(event, Usage)]
    return usage


@asynccontextmanager
async def closing(provider: Any) -> AsyncIterator[Any]:
    try:
        yield provider
    finally:
        await provider.aclose()

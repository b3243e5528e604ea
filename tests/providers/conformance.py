"""What every kind of provider must do, whatever it talks to."""

import asyncio

from app.providers.base import ChatProvider
from app.providers.events import TextDelta
from tests.providers.asking import all_events, end_of, question, text_of, usage_of


async def lists_its_models(provider: ChatProvider, model: str) -> None:
    models = await provider.list_models()
    assert f"{provider.name}/{model}" in [info.id for info in models]
    assert all("chat" in info.capabilities for info in models)


async def answers_and_ends_once(provider: ChatProvider, model: str) -> str:
    events = await all_events(provider, question("Tell me about tea. [[tokens=12]]", model=model, max_tokens=30))
    text = text_of(events)
    assert text
    assert all(event.text for event in events if isinstance(event, TextDelta))
    assert end_of(events).reason in ("stop", "length")
    usage = usage_of(events)
    assert usage.prompt_tokens
    assert usage.completion_tokens
    assert usage.context_length
    return text


async def obeys_the_limit(provider: ChatProvider, model: str) -> None:
    events = await all_events(provider, question("Count to one hundred.", model=model, max_tokens=3))
    assert end_of(events).reason == "length"


async def goes_on_from_a_text(provider: ChatProvider, model: str) -> None:
    assert await provider.can_continue("scripted:latest")
    first = await all_events(provider, question("Name three teas.", model=model, max_tokens=4, seed=7, temperature=0.0))
    prefix = text_of(first)
    events = await all_events(
        provider, question("Name three teas.", prefix, model=model, max_tokens=8, seed=7, temperature=0.0)
    )
    assert text_of(events)
    assert not text_of(events).startswith(prefix)
    end_of(events)


async def may_be_closed_at_any_event(provider: ChatProvider, model: str) -> None:
    for stop_after in (0, 1, 3):
        stream = provider.chat(question(f"Go on and on. [[tokens=endless rate=100 n={stop_after}]]", model=model))
        async with asyncio.timeout(10):
            for _ in range(stop_after):
                await anext(stream)
        async with asyncio.timeout(1):
            await stream.aclose()  # type: ignore[attr-defined]


async def serves_several_at_once(provider: ChatProvider, model: str) -> None:
    requests = [question(f"Question {n} [[tokens=10]]", model=model, max_tokens=5) for n in range(4)]
    for events in await asyncio.gather(*(all_events(provider, request) for request in requests)):
        assert text_of(events)
        end_of(events)


ALL = (
    lists_its_models,
    answers_and_ends_once,
    obeys_the_limit,
    goes_on_from_a_text,
    may_be_closed_at_any_event,
    serves_several_at_once,
)

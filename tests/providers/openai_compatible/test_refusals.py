"""What a server does not take is left out and remembered by model, and told with the answer."""

from typing import Any

import pytest
from aiohttp import web

from app.providers.errors import ProviderRejected
from app.providers.openai_compatible.client import from_settings
from tests.providers.asking import all_events, closing, heard, question, settings_for, text_of, usage_of
from tests.providers.openai_compatible.raw_server import answering

ANSWER = b'data: {"choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


class Picky:
    """A server that refuses requests with `name` in them, for one model, in its own words."""

    def __init__(self, name: str, words: Any, status: int) -> None:
        self.name, self.words, self.status = name, words, status
        self.bodies: list[dict[str, Any]] = []

    async def chat(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        has_it = body["messages"][0]["role"] == "system" if self.name == "system" else self.name in body
        if has_it and body["model"] == "picky":
            return web.json_response(self.words, status=self.status)
        return web.Response(body=ANSWER, content_type="text/event-stream")


def said(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error"}}


DEFAULT_ONLY = "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default is."
EXTRA = {"detail": [{"type": "extra_forbidden", "loc": ["body", "top_k"], "msg": "Extra inputs are not permitted"}]}


@pytest.mark.parametrize(
    ("name", "words", "status", "ignored"),
    [
        ("temperature", said(DEFAULT_ONLY), 400, ("temperature",)),
        ("top_p", said("`top_p` cannot be specified for this model."), 400, ("top_p",)),
        ("top_k", EXTRA, 422, ("top_k",)),
        ("top_k", said("property 'top_k' is unsupported"), 400, ("top_k",)),
        ("repeat_penalty", said("Unrecognized request argument: repeat_penalty"), 400, ("repeat_penalty",)),
        ("seed", said("Unsupported parameter: seed"), 400, ("seed",)),
        ("reasoning_effort", said("Unknown parameter: 'reasoning_effort'."), 400, ("think",)),
        ("stream_options", said("Unknown field stream_options"), 400, ()),
        ("max_tokens", said("'max_tokens' is not supported. Use 'max_completion_tokens' instead."), 400, ()),
        ("system", said("System role not supported"), 400, ()),
    ],
)
async def test_it_is_asked_without_and_once_only(name: str, words: Any, status: int, ignored: tuple[str, ...]) -> None:
    picky = Picky(name, words, status)
    options: dict[str, Any] = {
        "temperature": 0.2,
        "top_p": 0.9,
        "top_k": 3,
        "repeat_penalty": 1.1,
        "seed": 7,
        "max_tokens": 9,
    }
    async with answering(picky.chat) as url, closing(from_settings(settings_for(openai_base_url=url))) as provider:
        for _ in range(2):
            events = await all_events(provider, question("hi", model="picky", think="low", **options))
            assert (text_of(events), usage_of(events).ignored) == ("Hello", ignored)
        assert len(picky.bodies) == 3
        other = await all_events(provider, question("hi", model="other", think="low", **options))
        assert usage_of(other).ignored == ()
    refused, without, _, others = picky.bodies
    assert refused == others | {"model": "picky"}
    if name == "system":
        assert without["messages"] == [{"role": "user", "content": "Be brief.\n\nhi"}]
    elif name == "max_tokens":
        assert without["max_completion_tokens"] == 9 and "max_tokens" not in without
    else:
        assert without == {key: value for key, value in refused.items() if key != name}


@pytest.mark.parametrize("words", ["Please stop sending me seeds.", "The temperature of the room is too high", "no"])
async def test_a_word_that_names_no_parameter_changes_nothing(words: str) -> None:
    picky = Picky("model", said(words), 400)
    async with answering(picky.chat) as url, closing(from_settings(settings_for(openai_base_url=url))) as provider:
        events = await heard(provider, question("hi", model="picky", temperature=0.2, seed=7, stop=("x",)))
    assert type(events.error) is ProviderRejected
    assert len(picky.bodies) == 1

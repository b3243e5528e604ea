"""A key goes to the address that it is for, and to no other one."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.providers.registry import make_provider
from app.settings import with_keys
from tests.model_server import ModelServer
from tests.providers.asking import all_events, closing, question, settings_for

A, B = "http://10.0.0.1:8000/v1", "http://10.0.0.2:8000/v1"


@pytest.mark.parametrize(
    ("addresses", "keys", "pairs"),
    [
        ("", "", []),
        ("", "sk-1", []),
        (A, "", [(A, "")]),
        (A, " sk-1 ", [(A, "sk-1")]),
        (A, "with,comma", [(A, "with,comma")]),
        (f"{A},{B}", "", [(A, ""), (B, "")]),
        (f"{A},{B}", "sk-1,sk-2", [(A, "sk-1"), (B, "sk-2")]),
        (f"{A}, {B}", ", sk-2", [(A, ""), (B, "sk-2")]),
        ("http://10.0.0.1:1,http://10.0.0.1:2", "sk-1", [("http://10.0.0.1:1", "sk-1"), ("http://10.0.0.1:2", "sk-1")]),
    ],
)
def test_each_address_has_its_own(addresses: str, keys: str, pairs: list[tuple[str, str]]) -> None:
    assert with_keys(addresses, keys) == pairs


@pytest.mark.parametrize("keys", ["sk-1", "sk-1,sk-2,sk-3"])
@pytest.mark.parametrize("kind", ["openai_base_url", "ollama_url"])
def test_what_is_for_nobody_in_particular_is_refused_at_the_start(kind: str, keys: str) -> None:
    name = kind.split("_")[0]
    with pytest.raises(ValidationError, match=f"{name.upper()}_API_KEY: one key for each of the 2 addresses"):
        settings_for(**{kind: f"{A},{B}", f"{name}_api_key": keys})


@pytest.mark.parametrize("kind", ["openai", "ollama"])
async def test_no_other_server_ever_sees_it(kind: str) -> None:
    async with ModelServer() as one, ModelServer() as other:
        values: dict[str, Any] = {
            "openai_base_url": f"{one.openai_url},{other.openai_url.replace('127.0.0.1', 'localhost')}",
            "ollama_url": f"{one.url},{other.url.replace('127.0.0.1', 'localhost')}",
            f"{kind}_api_key": "sk-of-the-one,sk-of-the-other",
        }
        async with closing(make_provider(kind, settings_for(**values))) as provider:
            await provider.list_models()
            for number in range(6):
                await all_events(provider, question(f"hi {number}"))
        for server, key in ((one, "sk-of-the-one"), (other, "sk-of-the-other")):
            assert server.requests
            assert {request.headers.get("Authorization") for request in server.requests} == {f"Bearer {key}"}

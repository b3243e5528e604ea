"""Any text that is accepted comes back as it was; the rest is 422, never 500. (A58)"""

import asyncio
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.people import Person
from tests.effort import effort

TEXTS = {
    "combining marks": "a" + "\u0301" * 10_000,
    "ZWJ chain": "👩" + "\u200d👩" * 2_000,
    "right to left": "\u202eevil\u202c \u2067إنجليزي\u2069",
    "noncharacters": "\ufffe\uffff\U0010ffff \ufdd0",
    "byte order mark": "\ufeffx\ufeff",
    "expands": "\ufdfa" * 10_000,
    "controls": "".join(map(chr, range(1, 32))) + "x\x7f\x85\u2028\u2029",
    "emoji": "🍵" * 50_000,
    "astral": "\U00020000" * 1000,
    "nothing visible": "\u200b",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_A58_strange_text_is_kept_as_it_is(alice: Person, text: str) -> None:
    conversation_id = await alice.conversation(system_prompt=text[:32_000])
    answer = await alice.client.post(f"/api/v1/conversations/{conversation_id}/messages", json={"content": text})
    assert answer.status_code == 202, answer.text[:300]
    assert answer.json()["user_message"]["content"] == text
    path = f"/api/v1/messages/{answer.json()['user_message']['id']}"
    assert (await alice.client.get(path)).json()["content"] == text
    assert (await alice.client.get(path, params={"format": "html"})).status_code == 200
    await alice.ended(answer.json()["job"]["id"])
    conversation = (await alice.client.get(f"/api/v1/conversations/{conversation_id}")).json()
    assert conversation["system_prompt"] == text[:32_000] and len(conversation["title"]) <= 200
    for form in ("json", "markdown"):
        assert (
            await alice.client.get(f"/api/v1/conversations/{conversation_id}/export?format={form}")
        ).status_code == 200


@pytest.mark.parametrize("escaped", ['"\\ud800"', '"\\udfff\\ud800"', '"a\\u0000b"', '"\\u0000"'])
async def test_A58_what_is_no_text_is_422_everywhere(alice: Person, escaped: str) -> None:
    conversation_id = await alice.conversation()
    headers = {"Content-Type": "application/json"}
    for method, path, name in (
        ("POST", f"conversations/{conversation_id}/messages", "content"),
        ("PATCH", f"conversations/{conversation_id}", "title"),
        ("PATCH", f"conversations/{conversation_id}", escaped.strip('"')),
        ("POST", "auth/api-keys", "name"),
        ("PATCH", "auth/me", "email"),
        ("POST", "auth/register", "password"),
        ("POST", "auth/refresh", "refresh_token"),
    ):
        body = f'{{"{name}": {escaped}}}'.encode()
        answer = await alice.client.request(method, f"/api/v1/{path}", content=body, headers=headers)
        assert answer.status_code == 422, (path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.campaign
def test_A58_any_title_and_prompt_comes_back(alice: Person, served: Any) -> None:
    headers = dict(alice.client.headers)
    url = f"{served.url}/api/v1/conversations/{asyncio.run(_conversation(served.url, headers))}"
    accepted = 0
    with httpx.Client(headers=headers, verify=False) as client:

        @settings(
            max_examples=effort(40, 400),
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture],
        )
        @given(st.text(max_size=200))
        def change(text: str) -> None:
            nonlocal accepted
            answer = client.patch(url, json={"system_prompt": text, "title": text})
            if "\0" in text:
                assert answer.status_code == 422
            else:
                assert answer.status_code == 200, answer.text
                assert answer.json()["system_prompt"] == text
                assert client.get(url).json() == answer.json()
                accepted += 1

        change()
    assert accepted > 10


async def _conversation(url: str, headers: dict[str, str]) -> str:
    async with httpx.AsyncClient(headers=headers, verify=False) as client:
        return str((await client.post(f"{url}/api/v1/conversations", json={})).json()["id"])

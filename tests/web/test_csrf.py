"""Every route that changes something asks for the token of this very session."""

from collections.abc import Iterator

import httpx
import pytest
from fastapi.routing import APIRoute

from app.web import accounts, conversations, generations, messages, sessions
from tests.web.visitor import MISSING, Visitor, token_in

MODULES = (sessions, accounts, conversations, messages, generations)


def routes() -> Iterator[tuple[str, str]]:
    for module in MODULES:
        for route in module.router.routes:
            assert isinstance(route, APIRoute)
            for method in sorted(route.methods or ()):
                yield method, route.path


UNSAFE = [path for method, path in routes() if method not in ("GET", "HEAD")]


def test_there_are_such_routes_and_they_are_all_posts() -> None:
    assert len(UNSAFE) >= 11
    assert {method for method, _ in routes()} == {"GET", "POST"}


def filled(path: str) -> str:
    return path.format(conversation_id=MISSING, message_id=MISSING, job_id=MISSING)


@pytest.mark.parametrize("path", UNSAFE)
async def test_without_the_right_token_nothing_happens(
    path: str, alice: Visitor, charlie: Visitor, nobody: httpx.AsyncClient
) -> None:
    good, strange = await alice.token(), await charlie.token()
    anonymous = token_in((await nobody.get("/login")).text)
    client, there = alice.client, filled(path)
    refused = [
        await client.post(there, data={"content": "x"}),
        await client.post(there, data={"csrf_token": "", "content": "x"}),
        await client.post(there, data={"csrf_token": strange, "content": "x"}),
        await client.post(there, data={"csrf_token": anonymous, "content": "x"}),
        await client.post(there, params={"csrf_token": good}, data={"content": "x"}),
        await client.post(there, data={"csrf_token": good}, headers={"Origin": "https://evil.example"}),
        await client.post(there, data={"csrf_token": good}, headers={"Origin": "null"}),
        await client.post(there, data={"csrf_token": good}, headers={"Sec-Fetch-Site": "cross-site"}),
        await client.post(there, data={}, headers={"HX-Request": "true", "X-CSRF-Token": strange}),
        await client.post(there, json={"csrf_token": good}),
    ]
    assert [answer.status_code for answer in refused] == [403] * len(refused)
    assert (await alice.get("/")).status_code == 200, "nobody was signed out"


async def test_the_header_of_htmx_counts_as_the_field(alice: Visitor) -> None:
    path = await alice.answered()
    headers = {"X-CSRF-Token": await alice.token(), "HX-Request": "true"}
    answer = await alice.client.post(f"{path}/messages", data={"content": "Hi [[tokens=1]]"}, headers=headers)
    assert answer.status_code == 202

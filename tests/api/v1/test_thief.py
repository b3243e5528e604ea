"""What a thief of a token or of a key can make of it, and for how long. (A25, A31, A35)"""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.accounts import access_tokens
from tests.api.answers import is_problem
from tests.api.people import Person, bearer, sign_in
from tests.api.serving import Served


async def key_made_by(served: Served, tokens: dict[str, Any], name: str) -> str:
    """The secret of a key that this sign-in made."""
    async with bearer(served.url, tokens["access_token"]) as client:
        answer = await client.post("/api/v1/auth/api-keys", json={"name": name})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["secret"])


async def works(served: Served, secret: str) -> bool:
    async with bearer(served.url, secret) as program:
        return (await program.get("/api/v1/auth/me")).status_code == 200


@pytest.fixture
async def stolen(served: Served, alice: Person) -> dict[str, Any]:
    """The tokens of another sign-in of Alice's."""
    return await sign_in(served.url, alice.name)


async def test_A35_signing_a_device_out_ends_the_keys_that_it_made(
    served: Served, alice: Person, stolen: dict[str, Any]
) -> None:
    hers, thiefs = await key_made_by(served, alice.tokens, "hers"), await key_made_by(served, stolen, "thief's")
    devices = (await alice.client.get("/api/v1/auth/sessions")).json()["items"]
    for device in devices:
        if not device["current"]:
            assert (await alice.client.delete(f"/api/v1/auth/sessions/{device['id']}")).status_code == 204
    assert await works(served, hers) and not await works(served, thiefs)


async def test_A31_reuse_of_a_refresh_token_ends_the_keys_of_its_family(
    served: Served, stolen: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_tokens, "GRACE", timedelta(0))
    secret = await key_made_by(served, stolen, "thief's")
    async with httpx.AsyncClient(base_url=served.url) as thief:
        again = {"refresh_token": stolen["refresh_token"]}
        assert (await thief.post("/api/v1/auth/refresh", json=again)).status_code == 200
        assert is_problem(await thief.post("/api/v1/auth/refresh", json=again), 401, "invalid_token")
    assert not await works(served, secret)


async def test_who_signs_out_keeps_the_keys(served: Served, stolen: dict[str, Any]) -> None:
    secret = await key_made_by(served, stolen, "backup script")
    async with bearer(served.url, stolen["access_token"]) as client:
        assert (await client.post("/api/v1/auth/logout")).status_code == 204
    assert await works(served, secret)


async def test_A25_a_key_decides_nothing_about_the_account(served: Served, alice: Person) -> None:
    secret = await key_made_by(served, alice.tokens, "all of it")
    key = (await alice.client.get("/api/v1/auth/api-keys")).json()["items"][0]["id"]
    device = (await alice.client.get("/api/v1/auth/sessions")).json()["items"][0]["id"]
    asked: list[tuple[str, str, Any]] = [
        ("POST", "api-keys", {"name": "another"}),
        ("DELETE", f"api-keys/{key}", None),
        ("DELETE", f"sessions/{device}", None),
        ("PATCH", "me", {"email": "thief@example.org"}),
        ("POST", "password", {"current_password": "x", "new_password": "a long enough one"}),
        ("DELETE", "me", None),
    ]
    async with bearer(served.url, secret) as program:
        for method, path, body in asked:
            answer = await program.request(method, f"/api/v1/auth/{path}", json=body)
            assert is_problem(answer, 403, "sign_in_needed"), (method, path)
        assert (await program.patch("/api/v1/auth/me", json={"locale": "zh-CN"})).status_code == 200
    assert (await alice.client.get("/api/v1/auth/me")).json()["email"] != "thief@example.org"

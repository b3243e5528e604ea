"""What a thief of a token or of a key can make of it, and for how long. (A25, A31, A35)"""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.accounts import access_tokens
from tests.api.answers import is_problem
from tests.api.people import Person, bearer, signed_in_long_ago
from tests.api.serving import Served
from tests.attackers.thieves import deciding
from tests.factories.accounts import PASSWORD
from tests.jobs.waiting import until


async def key_made_by(served: Served, tokens: dict[str, Any], name: str) -> str:
    """The secret of a key that this sign-in made."""
    async with bearer(served.url, tokens["access_token"]) as client:
        answer = await client.post("/api/v1/auth/api-keys", json={"name": name})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["secret"])


async def works(served: Served, secret: str) -> bool:
    async with bearer(served.url, secret) as program:
        return (await program.get("/api/v1/auth/me")).status_code == 200


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
    async with httpx.AsyncClient(base_url=served.url, verify=False) as thief:
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
    asked = [
        *deciding(key, device),
        ("POST", "password", {"current_password": "x", "new_password": "a long enough one"}),
        ("POST", "confirm", {"password": PASSWORD}),
    ]
    async with bearer(served.url, secret) as program:
        for method, path, body in asked:
            answer = await program.request(method, f"/api/v1/auth/{path}", json=body)
            assert is_problem(answer, 403, "sign_in_needed"), (method, path)
        assert (await program.patch("/api/v1/auth/me", json={"locale": "zh-CN"})).status_code == 200
    assert (await alice.client.get("/api/v1/auth/me")).json()["email"] != "thief@example.org"


async def test_A70_a_stolen_token_decides_nothing_without_the_password(
    served: Served, alice: Person, stolen: dict[str, Any]
) -> None:
    await key_made_by(served, alice.tokens, "hers")
    key = (await alice.client.get("/api/v1/auth/api-keys")).json()["items"][0]["id"]
    devices = (await alice.client.get("/api/v1/auth/sessions")).json()["items"]
    hers = next(device["id"] for device in devices if device["current"])
    await signed_in_long_ago(served, alice.name)
    async with bearer(served.url, stolen["access_token"]) as thief:
        for method, path, body in deciding(key, hers):
            answer = await thief.request(method, f"/api/v1/auth/{path}", json=body)
            assert is_problem(answer, 403, "password_needed"), (method, path)
        guess = await thief.post("/api/v1/auth/confirm", json={"password": "a guess"})
        assert is_problem(guess, 403, "wrong_password")
        assert is_problem(await thief.delete("/api/v1/auth/me"), 403, "password_needed")
        assert (await thief.patch("/api/v1/auth/me", json={"locale": "zh-CN"})).status_code == 200
    assert (await alice.client.get("/api/v1/auth/me")).json()["email"] != "thief@example.org"

    confirmed = await alice.client.post("/api/v1/auth/confirm", json={"password": PASSWORD})
    assert confirmed.status_code == 204
    for method, path, body in deciding(key, next(device["id"] for device in devices if not device["current"])):
        answer = await alice.client.request(method, f"/api/v1/auth/{path}", json=body)
        assert answer.status_code in (200, 201, 204), (method, path, answer.text)


async def test_a_new_password_is_a_recent_one(served: Served, alice: Person) -> None:
    await signed_in_long_ago(served, alice.name)
    changed = {"current_password": PASSWORD, "new_password": "another long password"}
    assert (await alice.client.post("/api/v1/auth/password", json=changed)).status_code == 204
    assert (await alice.client.post("/api/v1/auth/api-keys", json={"name": "one"})).status_code == 201


async def test_a_key_expires_unless_it_is_said_that_it_does_not(served: Served, alice: Person) -> None:
    usual = (await alice.client.post("/api/v1/auth/api-keys", json={"name": "one"})).json()["expires_at"]
    left = datetime.fromisoformat(usual) - datetime.now(UTC)
    assert timedelta(days=89) < left <= timedelta(days=90)
    for_ever = await alice.client.post("/api/v1/auth/api-keys", json={"name": "two", "expires_at": None})
    assert for_ever.json()["expires_at"] is None


async def test_the_list_of_keys_tells_from_where_each_was_used(served: Served, alice: Person) -> None:
    secret = await key_made_by(served, alice.tokens, "hers")
    await key_made_by(served, alice.tokens, "unused")
    async with bearer(served.url, secret) as program:
        await program.get("/api/v1/auth/me", headers={"User-Agent": "backup/1.0 " + "x" * 300})

    async def uses() -> list[list[dict[str, Any]]]:
        keys = (await alice.client.get("/api/v1/auth/api-keys")).json()["items"]
        return [key["uses"] for key in keys if key["uses"]]

    ((use,),) = await until(uses)
    assert use["address"] == "127.0.0.1" and use["user_agent"].startswith("backup/1.0 ")
    assert len(use["user_agent"]) == 256

"""API keys, devices, profile, password, the end of an account."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.answers import is_problem
from tests.api.people import MISSING, Person, bearer, person, sign_in
from tests.api.rows import rows_of
from tests.api.serving import Served, serving
from tests.factories.accounts import PASSWORD


async def test_a_key_is_made_shown_once_listed_and_revoked(alice: Person, served: Served) -> None:
    made = await alice.client.post("/api/v1/auth/api-keys", json={"name": "script"})
    assert made.status_code == 201
    key = made.json()
    assert made.headers["location"] == f"/api/v1/auth/api-keys/{key['id']}"
    assert key["scopes"] == ["read", "write"] and key["secret"].startswith("th_") and key["expires_at"]
    listed = await alice.client.get("/api/v1/auth/api-keys")
    assert [item["id"] for item in listed.json()["items"]] == [key["id"]]
    assert key["secret"] not in listed.text and "secret" not in listed.json()["items"][0]
    assert listed.json()["items"][0].keys() == key.keys() - {"secret"}
    async with bearer(served.url, key["secret"]) as program:
        assert (await program.get("/api/v1/auth/me")).json()["id"] == alice.id
        gone = await alice.client.delete(f"/api/v1/auth/api-keys/{key['id']}")
        assert gone.status_code == 204
        assert is_problem(await program.get("/api/v1/auth/me"), 401, "invalid_token")
    assert is_problem(await alice.client.delete(f"/api/v1/auth/api-keys/{key['id']}"), 404, "not_found")


async def test_A25_a_scope_is_a_limit_and_only_the_bearer_carries_a_key(
    alice: Person, served: Served, client: httpx.AsyncClient
) -> None:
    async def key_with(*scopes: str) -> str:
        answer = await alice.client.post("/api/v1/auth/api-keys", json={"name": "k", "scopes": scopes})
        return str(answer.json()["secret"])

    reading, writing = await key_with("read"), await key_with("write")
    async with bearer(served.url, reading) as program:
        assert (await program.get("/api/v1/conversations")).status_code == 200
        for method, path in (("POST", "conversations"), ("POST", "auth/api-keys"), ("POST", "auth/logout")):
            answer = await program.request(method, f"/api/v1/{path}", json={"name": "x"} if "keys" in path else {})
            assert is_problem(answer, 403, "insufficient_scope")
        assert (await program.delete("/api/v1/auth/me")).status_code == 403
    async with bearer(served.url, writing) as program:
        assert (await program.post("/api/v1/conversations", json={})).status_code == 201
        assert is_problem(await program.get("/api/v1/conversations"), 403, "insufficient_scope")
        password = {"current_password": PASSWORD, "new_password": "another long one"}
        for answer in (
            await program.post("/api/v1/auth/api-keys", json={"name": "x", "scopes": ["write"]}),
            await program.post("/api/v1/auth/password", json=password),
            await program.delete("/api/v1/auth/me"),
        ):
            assert is_problem(answer, 403, "sign_in_needed")
    for headers in (
        {"X-Api-Key": reading},
        {"Api-Key": reading},
        {"Cookie": f"teahouse_session={reading}"},
        {"Authorization": f"Basic {reading}"},
        {"Authorization": reading},
    ):
        assert is_problem(await client.get("/api/v1/auth/me", headers=headers), 401, "invalid_token")
    assert (await client.get("/api/v1/auth/me", params={"api_key": reading})).status_code in (401, 422)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 101},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["root"]},
        {"name": "x", "expires_at": "2020-01-01T00:00:00Z"},
        {"name": "x", "expires_at": "2030-01-01T00:00:00"},
        {"name": "x", "expires_at": "tomorrow"},
        {"name": "x", "secret": "th_mine"},
        {"name": "x", "user_id": MISSING},
    ],
)
async def test_a_bad_key_is_422(alice: Person, body: dict[str, Any]) -> None:
    assert (await alice.client.post("/api/v1/auth/api-keys", json=body)).status_code == 422


async def test_a_member_cannot_make_an_administrators_key(alice: Person) -> None:
    answer = await alice.client.post("/api/v1/auth/api-keys", json={"name": "x", "scopes": ["admin"]})
    assert is_problem(answer, 403, "insufficient_scope")


async def test_devices_are_listed_and_ended(alice: Person, served: Served) -> None:
    other = await sign_in(served.url, alice.name)
    listed = (await alice.client.get("/api/v1/auth/sessions")).json()["items"]
    assert [item["current"] for item in listed].count(True) == 1 and len(listed) == 2
    (foreign,) = [item for item in listed if not item["current"]]
    assert foreign["kind"] == "api" and "httpx" in foreign["user_agent"]
    assert (await alice.client.delete(f"/api/v1/auth/sessions/{foreign['id']}")).status_code == 204
    async with bearer(served.url, other["access_token"]) as gone:
        assert (await gone.get("/api/v1/auth/me")).status_code == 401
    assert is_problem(await alice.client.delete(f"/api/v1/auth/sessions/{foreign['id']}"), 404, "not_found")


async def test_the_profile_changes_by_what_is_named(alice: Person, bob: Person) -> None:
    answer = await alice.client.patch("/api/v1/auth/me", json={"locale": "zh-CN", "default_model": "ollama/x"})
    assert answer.status_code == 200
    assert (answer.json()["locale"], answer.json()["default_model"]) == ("zh-CN", "ollama/x")
    answer = await alice.client.patch("/api/v1/auth/me", json={"default_model": None})
    assert (answer.json()["locale"], answer.json()["default_model"]) == ("zh-CN", None)
    taken = await alice.client.patch("/api/v1/auth/me", json={"email": f"{bob.name.upper()}@example.org"})
    assert is_problem(taken, 409, "taken")
    for bad in (
        {"locale": "xx"},
        {"role": "admin"},
        {"username": "x"},
        {"email": "nobody"},
        {"default_model": "gpt/x"},
    ):
        assert (await alice.client.patch("/api/v1/auth/me", json=bad)).status_code == 422, bad
    assert (await alice.client.get("/api/v1/auth/me")).json()["role"] == "member"


async def test_A35_a_new_password_ends_the_other_devices_and_the_keys(alice: Person, served: Served) -> None:
    other = await sign_in(served.url, alice.name)
    key = (await alice.client.post("/api/v1/auth/api-keys", json={"name": "k"})).json()
    wrong = {"current_password": "not the password", "new_password": "another long one"}
    assert is_problem(await alice.client.post("/api/v1/auth/password", json=wrong), 403, "wrong_password")
    right = {**wrong, "current_password": PASSWORD}
    assert (await alice.client.post("/api/v1/auth/password", json=right)).status_code == 204
    assert (await alice.client.get("/api/v1/auth/me")).status_code == 200, "the acting one stays"
    for dead in (other["access_token"], key["secret"]):
        async with bearer(served.url, dead) as client:
            assert (await client.get("/api/v1/auth/me")).status_code == 401
    async with httpx.AsyncClient(base_url=served.url, verify=False) as client:
        old = {"refresh_token": other["refresh_token"]}
        assert (await client.post("/api/v1/auth/refresh", json=old)).status_code == 401
        form = {"username": alice.name, "password": PASSWORD}
        assert (await client.post("/api/v1/auth/login", data=form)).status_code == 401
    assert await sign_in(served.url, alice.name, "another long one")


async def test_an_account_deletes_itself_with_all_that_is_in_it(alice: Person, served: Served) -> None:
    conversation_id = await alice.conversation()
    accepted = await alice.ask(conversation_id, "[[tokens=endless rate=50]]")
    assert (await alice.client.delete("/api/v1/auth/me")).status_code == 204
    assert (await alice.client.get("/api/v1/auth/me")).status_code == 401
    for table in ("users", "conversations", "messages", "jobs"):
        ids = (alice.id, conversation_id, accepted["assistant_message"]["id"], accepted["job"]["id"])
        rows = await rows_of(
            served.services.database,
            f"SELECT id FROM {table} WHERE id IN (:a, :b, :c, :d)",
            **dict(zip("abcd", ids, strict=True)),
        )
        assert rows == [], table


async def test_ones_tokens_of_today_are_told_to_oneself_and_to_administrators(alice: Person, dana: Person) -> None:
    told = await alice.client.get("/api/v1/auth/me/tokens")
    assert told.status_code == 200
    assert told.json().keys() == {"used", "reserved", "limit", "ends_at"}
    assert (told.json()["used"], told.json()["limit"]) == (0, None)
    seen = await dana.client.get(f"/api/v1/users/{alice.id}/tokens")
    assert seen.json() == told.json()
    assert is_problem(await alice.client.get(f"/api/v1/users/{alice.id}/tokens"), 403, "insufficient_scope")
    assert is_problem(await dana.client.get(f"/api/v1/users/{MISSING}/tokens"), 404, "not_found")


async def test_A62_a_days_tokens_are_a_limit_with_a_time_to_come_back(tmp_path: Path) -> None:
    with serving(tmp_path / "data", max_tokens_per_day=50) as narrow:
        her = await person(narrow, "alice")
        async with her.client as client:
            conversation = (await client.post("/api/v1/conversations", json={})).json()["id"]
            path = f"/api/v1/conversations/{conversation}/messages"
            first = await client.post(path, json={"content": "tea [[tokens=endless rate=20]]"})
            assert first.status_code == 202
            again = await client.post(path, json={"content": "more tea"})
            assert is_problem(again, 429, "tokens_used_up")
            assert 0 < int(again.headers["retry-after"]) <= 86_401
            assert (await client.get("/api/v1/auth/me/tokens")).json()["reserved"] == 50
            await client.post(f"/api/v1/jobs/{first.json()['job']['id']}/cancel")


async def test_what_one_stores_is_told_to_oneself_and_to_administrators(alice: Person, dana: Person) -> None:
    conversation_id = await alice.conversation()
    accepted = await alice.ask(conversation_id, "茶 [[tokens=5]]")
    await alice.client.get(f"/api/v1/jobs/{accepted['job']['id']}", params={"wait": 10})
    answer = (await alice.client.get(f"/api/v1/messages/{accepted['assistant_message']['id']}")).json()
    told = await alice.client.get("/api/v1/auth/me/storage")
    asked, empty = len("茶 [[tokens=5]]".encode()), len("[]")
    assert told.json() == {"used": asked + len(answer["content"]) + 2 * empty, "reserved": 0, "limit": None}
    seen = await dana.client.get(f"/api/v1/users/{alice.id}/storage")
    assert seen.json() == told.json()
    assert is_problem(await alice.client.get(f"/api/v1/users/{alice.id}/storage"), 403, "insufficient_scope")
    assert is_problem(await dana.client.get(f"/api/v1/users/{MISSING}/storage"), 404, "not_found")


async def test_A62_storage_is_a_limit_and_deleting_makes_room(tmp_path: Path) -> None:
    with serving(tmp_path / "data", max_storage_per_user=1) as narrow:
        her = await person(narrow, "alice")
        async with her.client as client:
            conversation = (await client.post("/api/v1/conversations", json={})).json()["id"]
            path = f"/api/v1/conversations/{conversation}/messages"
            long = {"content": "茶" * 99_980 + "[[tokens=5]]"}
            assert [(await client.post(path, json=long)).status_code for _ in range(4)] == [202, 202, 202, 429]
            refused = await client.post(path, json=long)
            assert is_problem(refused, 429, "storage_used_up") and refused.headers["retry-after"] == "3600"
            assert (await client.get("/api/v1/auth/me/storage")).json()["limit"] == 1_000_000
            assert (await client.delete(f"/api/v1/conversations/{conversation}")).status_code == 204
            assert (await client.get("/api/v1/auth/me/storage")).json()["used"] == 0
            another = (await client.post("/api/v1/conversations", json={})).json()["id"]
            assert (await client.post(f"/api/v1/conversations/{another}/messages", json=long)).status_code == 202
            # What was deleted can be undone for a while, and is there meanwhile: as much as the limit again.
            path = f"/api/v1/conversations/{another}/messages"
            assert [(await client.post(path, json=long)).status_code for _ in range(2)] == [202, 202]
            assert (await client.delete(f"/api/v1/conversations/{another}")).status_code == 204
            third = (await client.post("/api/v1/conversations", json={})).json()["id"]
            refused = await client.post(f"/api/v1/conversations/{third}/messages", json=long)
            assert is_problem(refused, 429, "storage_used_up") and refused.headers["retry-after"] == "600"

"""API keys on their page: the secret is shown once, and a form sent twice makes one key."""

import re
from typing import Any

import httpx
import pytest

from app.ids import new_id
from tests.api.people import bearer
from tests.api.serving import Served
from tests.web.visitor import MISSING, Visitor

SECRET = re.compile(r"th_[\w-]{20,}")


async def make(visitor: Visitor, **fields: Any) -> httpx.Response:
    given = {"name": "backup script", "expires": "30", "scopes": ["read"], "idempotency_key": new_id(), **fields}
    return await visitor.post("/settings/keys", **given)


def key_id_in(page: str) -> str:
    found = re.search(r"/settings/keys/([0-9a-f-]{36})/revoke", page)
    assert found, page
    return found[1]


async def test_a_key_is_shown_once_and_works(alice: Visitor, served: Served) -> None:
    answer = await make(alice)
    assert answer.status_code == 201 and answer.headers["cache-control"] == "no-store"
    (secret,) = SECRET.findall(answer.text)
    page = (await alice.get("/settings/keys")).text
    assert "backup script" in page and not SECRET.search(page)
    async with bearer(served.url, secret) as program:
        assert (await program.get("/api/v1/conversations")).status_code == 200
        assert (await program.post("/api/v1/conversations", json={})).status_code == 403, "it may only read"


async def test_a_form_sent_again_makes_no_second_key_and_shows_no_secret(alice: Visitor) -> None:
    key = new_id()
    first, again = await make(alice, idempotency_key=key), await make(alice, idempotency_key=key)
    assert (first.status_code, again.status_code) == (201, 409)
    assert "shown only once" in again.text and not SECRET.search(again.text)
    assert (await alice.get("/settings/keys")).text.count("/revoke") == 1


async def test_a_key_of_another_is_not_overwritten_by_its_id(alice: Visitor, charlie: Visitor) -> None:
    await make(alice)
    taken = key_id_in((await alice.get("/settings/keys")).text)
    assert (await make(charlie, idempotency_key=taken)).status_code == 409
    assert "/revoke" in (await alice.get("/settings/keys")).text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": " "}, "1 to 100 characters"),
        ({"name": "x" * 101}, "1 to 100 characters"),
        ({"scopes": []}, "at least one thing"),
        ({"scopes": ["everything"]}, "at least one thing"),
        ({"expires": "1000000"}, "how long"),
    ],
)
async def test_what_is_wrong_stands_beside_its_field(wrong: dict[str, Any], said: str, alice: Visitor) -> None:
    answer = await make(alice, **wrong)
    assert answer.status_code == 422 and said in answer.text and answer.text.count('class="field-error"') == 1
    assert not SECRET.search(answer.text) and "/revoke" not in answer.text


async def test_a_form_without_its_key_is_nothing(alice: Visitor) -> None:
    assert (await make(alice, idempotency_key="")).status_code == 404


async def test_only_administrators_are_offered_the_scope_and_given_it(alice: Visitor, dana: Visitor) -> None:
    assert 'value="admin"' not in (await alice.get("/settings/keys")).text
    assert (await make(alice, scopes=["read", "admin"])).status_code == 403
    assert 'value="admin"' in (await dana.get("/settings/keys")).text
    assert (await make(dana, scopes=["read", "admin"])).status_code == 201


async def test_a_key_that_never_expires_says_so(alice: Visitor) -> None:
    await make(alice, expires="never")
    assert "Does not expire" in (await alice.get("/settings/keys")).text


async def test_a_revoked_key_ends_and_is_gone(alice: Visitor, charlie: Visitor, served: Served) -> None:
    (secret,) = SECRET.findall((await make(alice)).text)
    path = f"/settings/keys/{key_id_in((await alice.get('/settings/keys')).text)}/revoke"
    assert (await charlie.post(path)).status_code == 404
    assert (await alice.get(path)).status_code == 405
    assert (await alice.post(path)).status_code == 303
    page = (await alice.get("/settings/keys")).text
    assert "The key is revoked." in page and "You have no keys." in page
    assert (await alice.post(path)).status_code == 404
    async with bearer(served.url, secret) as program:
        assert (await program.get("/api/v1/conversations")).status_code == 401


async def test_a_key_that_is_not_there_cannot_be_revoked(alice: Visitor) -> None:
    assert (await alice.post(f"/settings/keys/{MISSING}/revoke")).status_code == 404
    assert (await alice.post("/settings/keys/nonsense/revoke")).status_code == 404

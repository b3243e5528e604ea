"""Refresh, the session cookie, signing out, and the one header that carries a token."""

from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import text

from app.db.types import to_text
from tests.api.answers import cookies_of, is_problem
from tests.api.people import MISSING, Person, bearer
from tests.api.serving import Served
from tests.factories.accounts import PASSWORD


async def test_A31_a_refresh_token_rotates_and_reuse_of_an_old_one_ends_the_family(
    alice: Person, client: httpx.AsyncClient, served: Served
) -> None:
    first = alice.tokens["refresh_token"]
    answer = await client.post("/api/v1/auth/refresh", json={"refresh_token": first})
    assert answer.status_code == 200 and cookies_of(answer) == []
    second = answer.json()
    assert second.keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    together = await client.post("/api/v1/auth/refresh", json={"refresh_token": first})
    assert together.json()["refresh_token"] == second["refresh_token"], "two tabs at once"
    third = await client.post("/api/v1/auth/refresh", json={"refresh_token": second["refresh_token"]})
    assert third.status_code == 200
    await _age_refresh_tokens(served, alice.id)
    assert is_problem(await client.post("/api/v1/auth/refresh", json={"refresh_token": first}), 401, "invalid_token")
    last = {"refresh_token": third.json()["refresh_token"]}
    assert is_problem(await client.post("/api/v1/auth/refresh", json=last), 401, "invalid_token")
    assert is_problem(await alice.client.get("/api/v1/auth/me"), 401, "invalid_token")


async def _age_refresh_tokens(served: Served, user_id: str) -> None:
    """As if the used ones had been used a minute ago."""

    async def work() -> None:
        async with served.services.database.transaction() as session:
            statement = text(
                "UPDATE refresh_tokens SET used_at = :then WHERE used_at IS NOT NULL"
                " AND session_id IN (SELECT id FROM sessions WHERE user_id = :user_id)"
            )
            await session.execute(statement, {"user_id": user_id, "then": to_text(datetime(2020, 1, 1, tzinfo=UTC))})

    await served.run(work)


@pytest.mark.parametrize("token", ["", "thr_" + "A" * 43, "x" * 200, "th_" + "A" * 43])
async def test_A27_what_is_no_refresh_token_is_401(client: httpx.AsyncClient, token: str) -> None:
    answer = await client.post("/api/v1/auth/refresh", json={"refresh_token": token})
    assert is_problem(answer, 401, "invalid_token")


async def test_A27_an_access_token_does_not_refresh_and_a_refresh_token_opens_nothing(
    alice: Person, client: httpx.AsyncClient, served: Served
) -> None:
    access = {"refresh_token": alice.tokens["access_token"]}
    assert (await client.post("/api/v1/auth/refresh", json=access)).status_code in (401, 422)
    async with bearer(served.url, alice.tokens["refresh_token"]) as other:
        assert is_problem(await other.get("/api/v1/auth/me"), 401, "invalid_token")


async def test_refreshing_by_the_cookie_answers_an_access_token_and_works_from_our_pages_alone(
    alice: Person, browser: httpx.AsyncClient, served: Served
) -> None:
    await browser.post("/api/v1/auth/login", data={"username": alice.name, "password": PASSWORD})
    answer = await browser.post("/api/v1/auth/refresh")
    assert answer.status_code == 200
    assert answer.json().keys() == {"access_token", "token_type", "expires_in"}
    async with bearer(served.url, answer.json()["access_token"]) as other:
        assert (await other.get("/api/v1/auth/me")).json()["id"] == alice.id
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": ""}):
        assert is_problem(await browser.post("/api/v1/auth/refresh", headers=headers), 401, "invalid_token")
    browser.cookies.clear()
    assert is_problem(await browser.post("/api/v1/auth/refresh"), 401, "invalid_token")


async def test_A33_two_cookies_of_one_name_or_a_changed_one_are_no_cookie(
    alice: Person, browser: httpx.AsyncClient
) -> None:
    answer = await browser.post("/api/v1/auth/login", data={"username": alice.name, "password": PASSWORD})
    cookie = cookies_of(answer)[0].split(";")[0]
    browser.cookies.clear()
    assert (await browser.post("/api/v1/auth/refresh", headers={"Cookie": cookie})).status_code == 200
    for tossed in (
        f"{cookie}; teahouse_session=other",
        f"teahouse_session=other; {cookie}",
        f"{cookie}; {cookie}",
        cookie[:-1],
        cookie.replace("teahouse_session=", "teahouse_session=x"),
        f"teahouse_session={alice.tokens['access_token']}",
        f"__Host-{cookie}",
    ):
        answer = await browser.post("/api/v1/auth/refresh", headers={"Cookie": tossed})
        assert is_problem(answer, 401, "invalid_token"), tossed


async def test_A32_signing_in_again_ends_what_the_cookie_stood_for(alice: Person, browser: httpx.AsyncClient) -> None:
    form = {"username": alice.name, "password": PASSWORD}
    first = cookies_of(await browser.post("/api/v1/auth/login", data=form))[0].split(";")[0]
    second = cookies_of(await browser.post("/api/v1/auth/login", data=form))[0].split(";")[0]
    assert first != second
    browser.cookies.clear()
    assert (await browser.post("/api/v1/auth/refresh", headers={"Cookie": first})).status_code == 401
    assert (await browser.post("/api/v1/auth/refresh", headers={"Cookie": second})).status_code == 200


async def test_signing_out_ends_cookie_access_and_refresh_token(
    alice: Person, browser: httpx.AsyncClient, served: Served
) -> None:
    answer = await browser.post("/api/v1/auth/login", data={"username": alice.name, "password": PASSWORD})
    cookie, pair = cookies_of(answer)[0].split(";")[0], answer.json()
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    out = await browser.post("/api/v1/auth/logout", headers=headers)
    assert out.status_code == 204 and out.content == b""
    ended, left = cookies_of(out)
    assert "Max-Age=0" in ended and left.startswith("teahouse_left=")
    browser.cookies.clear()
    assert (await browser.get("/api/v1/auth/me", headers=headers)).status_code == 401
    assert (await browser.post("/api/v1/auth/refresh", headers={"Cookie": cookie})).status_code == 401
    refresh = {"refresh_token": pair["refresh_token"]}
    assert (await browser.post("/api/v1/auth/refresh", json=refresh)).status_code == 401
    assert (await alice.client.get("/api/v1/auth/me")).status_code == 200, "another device stays"


async def test_signing_out_from_elsewhere_leaves_the_cookie_alone(alice: Person) -> None:
    answer = await alice.client.post("/api/v1/auth/logout", headers={"Origin": "http://evil.example"})
    assert answer.status_code == 204 and cookies_of(answer) == []


async def test_A41_the_cookie_opens_nothing_else_of_the_api(alice: Person, browser: httpx.AsyncClient) -> None:
    await browser.post("/api/v1/auth/login", data={"username": alice.name, "password": PASSWORD})
    assert browser.cookies.get("teahouse_session")
    for method, path in (
        ("GET", "auth/me"),
        ("GET", "conversations"),
        ("POST", "conversations"),
        ("POST", "auth/logout"),
    ):
        answer = await browser.request(method, f"/api/v1/{path}")
        assert is_problem(answer, 401, "invalid_token") and cookies_of(answer) == []


async def test_no_other_route_sets_a_cookie(alice: Person) -> None:
    conversation_id = await alice.conversation()
    for answer in (
        await alice.client.get("/api/v1/auth/me"),
        await alice.client.get("/api/v1/auth/sessions"),
        await alice.client.get(f"/api/v1/conversations/{conversation_id}"),
        await alice.client.get(f"/api/v1/conversations/{MISSING}"),
    ):
        assert cookies_of(answer) == []


async def test_A30_there_is_one_way_to_send_a_token(alice: Person, client: httpx.AsyncClient) -> None:
    token = alice.tokens["access_token"]
    doubtful: list[list[tuple[str, str]]] = [
        [],
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [("Authorization", token)],
        [("Authorization", f"Bearer  {token}")],
        [("Authorization", f"Bearer {token} {token}")],
        [("Authorization", f"Bearer {token}, Bearer {token}")],
        [("Authorization", f"Bearer\t{token}")],
        [("Authorization", f"Basic {token}")],
        [("Authorization", f"Token {token}")],
        [("Authorization", f'Bearer "{token}"')],
        [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")],
        [("Authorization", f"Bearer {token}"), ("Authorization", "Basic eA==")],
        [("X-Api-Key", token)],
        [("Cookie", f"teahouse_session={token}")],
        [("Cookie", f"Authorization=Bearer {token}")],
        [("X-Forwarded-User", alice.name), ("Remote-User", alice.name), ("X-lobe-chat-auth", token)],
    ]
    for headers in doubtful:
        answer = await client.get("/api/v1/auth/me", headers=headers)
        assert is_problem(answer, 401, "invalid_token"), headers
        assert answer.headers["www-authenticate"] == "Bearer"
    for parameter in ("access_token", "token", "api_key"):
        answer = await client.get("/api/v1/auth/me", params={parameter: token})
        assert answer.status_code in (401, 422)
    for scheme in ("Bearer", "bearer", "BEARER"):
        answer = await client.get("/api/v1/auth/me", headers={"Authorization": f"{scheme} {token}"})
        assert answer.status_code == 200


async def test_A36_identity_headers_change_nothing(alice: Person, dana: Person) -> None:
    for name in ("X-Forwarded-User", "Remote-User", "X-Remote-User", "X-User-Id", "X-Forwarded-Email"):
        answer = await alice.client.get("/api/v1/auth/me", headers={name: dana.name})
        assert answer.json()["id"] == alice.id
        assert (await alice.client.get("/api/v1/users", headers={name: dana.name})).status_code == 403

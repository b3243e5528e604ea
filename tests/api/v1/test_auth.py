"""Register, sign in, refresh, sign out: one cookie, one pair, one answer to everything wrong."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.api.answers import cookies_of, is_problem
from tests.api.people import MISSING, Person, sign_in
from tests.api.serving import Served
from tests.factories.accounts import PASSWORD


async def test_registering_answers_201_with_the_user_and_where_it_is(client: httpx.AsyncClient) -> None:
    account = {"username": "Robin", "email": "Robin@Example.org", "password": PASSWORD}
    answer = await client.post("/api/v1/auth/register", json=account)
    assert answer.status_code == 201
    assert answer.headers["location"] == "/api/v1/auth/me"
    body = answer.json()
    assert body.keys() == {"id", "username", "email", "role", "locale", "default_model", "disabled", "created_at"}
    assert (body["username"], body["email"], body["role"]) == ("Robin", "Robin@Example.org", "member")
    assert cookies_of(answer) == []
    assert "no-store" in answer.headers["cache-control"]
    again = await client.post("/api/v1/auth/register", json={**account, "username": "ROBIN"})
    assert is_problem(again, 409, "taken")
    assert again.json()["errors"][0]["pointer"] == "/username"
    assert (await sign_in(str(client.base_url), "robin@example.org"))["token_type"] == "bearer"


@pytest.mark.parametrize(
    "extra", [{"role": "admin"}, {"is_admin": True}, {"id": MISSING}, {"created_at": "2020-01-01"}, {"disabled": False}]
)
async def test_A21_registration_assigns_nothing_else(client: httpx.AsyncClient, extra: dict[str, Any]) -> None:
    account = {"username": "mallory", "email": "m@example.org", "password": PASSWORD, **extra}
    answer = await client.post("/api/v1/auth/register", json=account)
    assert is_problem(answer, 422, "invalid_input")
    assert answer.json()["errors"][0]["pointer"] == f"/{next(iter(extra))}"


@pytest.mark.parametrize(
    "account",
    [
        {},
        {"username": "x", "email": "x@y"},
        {"username": "x y", "email": "x@y", "password": PASSWORD},
        {"username": "x", "email": "nobody", "password": PASSWORD},
        {"username": "x", "email": "x@y", "password": "short"},
        {"username": "x", "email": "x@y", "password": "p" * 257},
        {"username": 5, "email": "x@y", "password": PASSWORD},
        {"username": "x", "email": "x@y", "password": None},
        [],
        None,
    ],
)
async def test_A38_bad_accounts_are_refused_without_being_repeated(client: httpx.AsyncClient, account: object) -> None:
    answer = await client.post("/api/v1/auth/register", json=account)
    assert answer.status_code == 422
    assert "p" * 20 not in answer.text


async def test_signing_in_answers_a_pair_and_sets_the_one_cookie(alice: Person, browser: httpx.AsyncClient) -> None:
    form = {"username": alice.name, "password": PASSWORD, "grant_type": "password"}
    answer = await browser.post("/api/v1/auth/login", data=form)
    assert answer.status_code == 200
    body = answer.json()
    assert body.keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (body["token_type"], body["expires_in"]) == ("bearer", 900)
    (cookie,) = cookies_of(answer)
    assert cookie.startswith("teahouse_session=")
    for part in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=2592000"):
        assert part in cookie
    assert "Secure" not in cookie, "this server is not behind https"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://localhost", "http://localhost:1", ""])
async def test_a_foreign_page_gets_no_cookie(alice: Person, client: httpx.AsyncClient, origin: str) -> None:
    form = {"username": alice.name, "password": PASSWORD}
    answer = await client.post("/api/v1/auth/login", data=form, headers={"Origin": origin})
    assert answer.status_code == 200 and cookies_of(answer) == []
    answer = await client.post("/api/v1/auth/login", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert cookies_of(answer) == []


async def test_our_own_page_gets_it_however_the_browser_says_so(
    alice: Person, client: httpx.AsyncClient, served: Served
) -> None:
    form = {"username": alice.name, "password": PASSWORD}
    for headers in ({"Origin": served.url}, {"Sec-Fetch-Site": "same-origin"}):
        assert cookies_of(await client.post("/api/v1/auth/login", data=form, headers=headers))


async def test_A26_wrong_name_and_wrong_password_read_alike(alice: Person, client: httpx.AsyncClient) -> None:
    answers = []
    for form in (
        {"username": alice.name, "password": "not the password"},
        {"username": "nobody-at-all", "password": "not the password"},
        {"username": alice.name, "password": " "},
        {"username": "' OR 1=1 --", "password": "not the password"},
    ):
        answer = await client.post("/api/v1/auth/login", data=form)
        assert is_problem(answer, 401, "wrong_credentials") and cookies_of(answer) == []
        answers.append({**answer.json(), "instance": "", "request_id": ""})
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"username": "x"},
        {"username": "x", "password": "y", "grant_type": "refresh_token"},
        {"username": "x" * 255, "password": "y"},
        {"username": "x", "password": "y" * 257},
    ],
)
async def test_a_form_that_is_not_the_password_flow_is_422(client: httpx.AsyncClient, form: dict[str, str]) -> None:
    answer = await client.post("/api/v1/auth/login", data=form or {"other": "x"})
    assert answer.status_code == 422
    assert "y" * 20 not in answer.text


async def test_A41_signing_in_is_a_form_and_everything_else_is_json(alice: Person, client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/auth/login", json={"username": alice.name, "password": PASSWORD})
    assert is_problem(answer, 415, "unsupported_media_type")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/x+json", ""):
        headers = {"Content-Type": kind}
        answer = await alice.client.post("/api/v1/conversations", content=b'{"title": "x"}', headers=headers)
        assert is_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "auth/register"),
        ("GET", "auth/login"),
        ("GET", "auth/refresh"),
        ("GET", "auth/logout"),
        ("PUT", "auth/me"),
        ("DELETE", "auth/sessions"),
        ("GET", f"auth/sessions/{MISSING}"),
        ("PATCH", f"auth/api-keys/{MISSING}"),
        ("GET", "auth/password"),
    ],
)
async def test_A42_a_wrong_method_is_405(alice: Person, method: str, path: str) -> None:
    for headers in ({}, {"X-HTTP-Method-Override": "POST"}):
        answer = await alice.client.request(method, f"/api/v1/{path}", headers=headers)
        assert is_problem(answer, 405, "method_not_allowed")
        assert answer.headers["allow"]


async def test_A22_the_api_makes_no_second_administrator(client: httpx.AsyncClient) -> None:
    accounts = [{"username": f"burst{n}", "email": f"burst{n}@x.org", "password": PASSWORD} for n in range(10)]
    answers = await asyncio.gather(*(client.post("/api/v1/auth/register", json=account) for account in accounts))
    assert {(answer.status_code, answer.json().get("role")) for answer in answers} == {(201, "member")}

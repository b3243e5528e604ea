"""What administrators do with users."""

from typing import Any

import httpx
import pytest

from tests.api.answers import is_problem
from tests.api.people import MISSING, Person, bearer, sign_in
from tests.api.rows import rows_of
from tests.api.serving import Served
from tests.factories.accounts import PASSWORD


async def test_users_are_listed_page_by_page_oldest_first(dana: Person, alice: Person, bob: Person) -> None:
    seen: list[str] = []
    parameters: dict[str, Any] = {"limit": 2}
    while True:
        answer = await dana.client.get("/api/v1/users", params=parameters)
        assert answer.status_code == 200
        page = answer.json()
        assert len(page["items"]) <= 2
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        parameters["cursor"] = page["next_cursor"]
    assert seen == sorted(seen) and len(seen) == len(set(seen))
    assert {dana.id, alice.id, bob.id} <= set(seen)
    assert "password" not in answer.text and "$argon2" not in answer.text


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "limit=" + "9" * 30, "cursor=x", "cursor=", "x=1"]
)
async def test_a_page_out_of_bounds_is_422(dana: Person, query: str) -> None:
    answer = await dana.client.get(f"/api/v1/users?{query}")
    assert answer.status_code == (200 if query == "cursor=" else 422)


async def test_an_administrator_makes_and_changes_users(dana: Person, served: Served) -> None:
    account = {"username": "made", "email": "made@example.org", "password": PASSWORD}
    made = await dana.client.post("/api/v1/users", json=account)
    assert made.status_code == 201
    user = made.json()
    assert made.headers["location"] == f"/api/v1/users/{user['id']}"
    assert user["role"] == "member"
    assert is_problem(await dana.client.post("/api/v1/users", json=account), 409, "taken")
    assert (await dana.client.post("/api/v1/users", json={**account, "disabled": True})).status_code == 422
    path = f"/api/v1/users/{user['id']}"
    changed = await dana.client.patch(path, json={"role": "admin", "email": "new@example.org"})
    assert (changed.json()["role"], changed.json()["email"]) == ("admin", "new@example.org")
    assert (await dana.client.patch(path, json={"role": "member"})).json()["role"] == "member"
    for bad in ({"role": "root"}, {"username": "x"}, {"email": "x"}, {"password": "long enough"}, {"disabled": "yes"}):
        assert (await dana.client.patch(path, json=bad)).status_code == 422, bad
    assert (await dana.client.delete(path)).status_code == 204
    for method, body in (("PATCH", {"role": "admin"}), ("DELETE", None)):
        assert is_problem(await dana.client.request(method, path, json=body), 404, "not_found")


async def test_the_last_administrator_stays_and_keeps_what_runs(dana: Person) -> None:
    conversation_id = await dana.conversation()
    accepted = await dana.ask(conversation_id, "[[tokens=endless rate=50]]")
    path = f"/api/v1/users/{dana.id}"
    for method, where, body in (
        ("PATCH", path, {"role": "member"}),
        ("PATCH", path, {"disabled": True}),
        ("DELETE", path, None),
        ("DELETE", "/api/v1/auth/me", None),
    ):
        assert is_problem(await dana.client.request(method, where, json=body), 409, "last_admin")
    job = (await dana.client.get(f"/api/v1/jobs/{accepted['job']['id']}")).json()
    assert job["status"] in ("queued", "running"), "a refusal leaves no trace"
    await dana.client.post(f"/api/v1/jobs/{job['id']}/cancel")
    await dana.ended(job["id"])


async def test_A24_a_disabled_user_is_out_on_every_path_and_their_answers_end(
    dana: Person, alice: Person, served: Served
) -> None:
    key = (await alice.client.post("/api/v1/auth/api-keys", json={"name": "k"})).json()["secret"]
    async with (
        httpx.AsyncClient(base_url=served.url, headers={"Origin": served.url}, verify=False) as browser,
        bearer(served.url, key) as program,
    ):
        form = {"username": alice.name, "password": PASSWORD}
        await browser.post("/api/v1/auth/login", data=form)
        running = await alice.ask(await alice.conversation(), "[[tokens=endless rate=50]]")
        path = f"/api/v1/users/{alice.id}"
        assert (await dana.client.patch(path, json={"disabled": True})).json()["disabled"] is True
        rows = await rows_of(
            served.services.database, "SELECT status FROM jobs WHERE id = :id", id=running["job"]["id"]
        )
        assert rows == [("cancelled",)]
        for answer in (
            await alice.client.get("/api/v1/auth/me"),
            await program.get("/api/v1/auth/me"),
            await browser.post("/api/v1/auth/refresh"),
            await browser.post("/api/v1/auth/refresh", json={"refresh_token": alice.tokens["refresh_token"]}),
        ):
            assert is_problem(answer, 401, "invalid_token")
        assert is_problem(await browser.post("/api/v1/auth/login", data=form), 401, "wrong_credentials")
        await dana.client.patch(path, json={"disabled": False})
        assert (await alice.client.get("/api/v1/auth/me")).status_code == 401, "what was ended stays so"
    assert await sign_in(served.url, alice.name)


async def test_A35_a_role_counts_from_the_next_request(dana: Person, alice: Person) -> None:
    path = f"/api/v1/users/{alice.id}"
    assert (await alice.client.get("/api/v1/users")).status_code == 403
    await dana.client.patch(path, json={"role": "admin"})
    assert (await alice.client.get("/api/v1/users")).status_code == 200
    await dana.client.patch(path, json={"role": "member"})
    assert (await alice.client.get("/api/v1/users")).status_code == 403


async def test_an_invitation_is_shown_once_listed_by_its_label_and_taken_back(dana: Person) -> None:
    path = "/api/v1/invites"
    assert (await dana.client.post(path)).json()["label"] == ""  # a body is not needed
    answer = await dana.client.post(path, json={"label": "  Erin,\n the new one "})
    assert answer.status_code == 201
    made = answer.json()
    assert made.pop("invite").startswith("thi_")
    assert made["label"] == "Erin, the new one"
    assert (await dana.client.get(path)).json()["items"][0] == made
    for bad in ({"label": "x" * 101}, {"label": None}, {"for": "Erin"}):
        assert (await dana.client.post(path, json=bad)).status_code == 422, bad
    assert (await dana.client.delete(f"{path}/{made['id']}")).status_code == 204
    assert made["id"] not in (await dana.client.get(path)).text
    for gone in (made["id"], MISSING):
        assert is_problem(await dana.client.delete(f"{path}/{gone}"), 404, "not_found")


async def test_the_overview_counts_users_and_jobs(dana: Person) -> None:
    overview = (await dana.client.get("/api/v1/overview")).json()
    assert overview["users"] == len((await dana.client.get("/api/v1/users?limit=500")).json()["items"])
    assert set(overview["jobs"]) == {"queued", "running", "succeeded", "failed", "cancelled"}


async def test_who_may_sign_up_is_set_by_administrators(dana: Person) -> None:
    path = "/api/v1/signup"
    before = (await dana.client.get(path)).json()
    try:
        assert (await dana.client.patch(path, json={"mode": "invite"})).json() == {"mode": "invite", "fixed": False}
        assert (await dana.client.get(path)).json()["mode"] == "invite"
        for bad in ({"mode": "nobody"}, {"mode": None}, {}, {"mode": "open", "fixed": True}):
            assert (await dana.client.patch(path, json=bad)).status_code == 422, bad
    finally:
        await dana.client.patch(path, json={"mode": before["mode"]})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/users"),
        ("POST", "/api/v1/users"),
        ("PATCH", f"/api/v1/users/{MISSING}"),
        ("DELETE", f"/api/v1/users/{MISSING}"),
        ("POST", "/api/v1/invites"),
        ("GET", "/api/v1/invites"),
        ("DELETE", f"/api/v1/invites/{MISSING}"),
        ("GET", "/api/v1/signup"),
        ("GET", "/api/v1/overview"),
        ("PATCH", "/api/v1/signup"),
        ("GET", "/api/v1/models/details?id=ollama/x"),
        ("GET", "/api/v1/jobs?all=true"),
    ],
)
async def test_A23_a_member_administers_nothing(
    alice: Person, client: httpx.AsyncClient, method: str, path: str
) -> None:
    body = (
        {"username": "x", "email": "x@y", "password": PASSWORD} if path.endswith("users") and method == "POST" else {}
    )
    if path.endswith("signup"):
        body = {"mode": "open"}
    arguments: dict[str, Any] = {} if method == "GET" else {"json": body}
    assert is_problem(await alice.client.request(method, path, **arguments), 403, "insufficient_scope")
    assert is_problem(await client.request(method, path, **arguments), 401, "invalid_token")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "users"),
        ("GET", f"users/{MISSING}"),
        ("POST", f"users/{MISSING}"),
        ("PUT", "invites"),
        ("DELETE", "signup"),
    ],
)
async def test_a_wrong_method_is_405(dana: Person, method: str, path: str) -> None:
    assert is_problem(await dana.client.request(method, f"/api/v1/{path}"), 405, "method_not_allowed")

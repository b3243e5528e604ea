"""How often and who may come in, through the real application. (A37, A26, reliability.md 2.6)"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.api.answers import is_problem
from tests.api.people import MODEL, Person, person
from tests.api.serving import Served, serving
from tests.factories.accounts import PASSWORD


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Served]:
    """With limits on, and a proxy trusted that is not us."""
    with serving(tmp_path / "data", rate_limit=30, trusted_proxies=["10.1.2.3"]) as served:
        yield served


@pytest.fixture
async def her(strict: Served) -> AsyncIterator[Person]:
    alice = await person(strict, "alice")
    async with alice.client:
        yield alice


async def attempt(served: Served, name: str, password: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=served.url, timeout=20, verify=False) as client:
        form = {"username": name, "password": password}
        return await client.post("/api/v1/auth/login", data=form, headers=headers)


async def test_A37_of_a_burst_at_one_account_exactly_five_pass(strict: Served, her: Person) -> None:
    spellings = [her.name, her.name.upper(), f" {her.name} ", her.name.replace("a", "ａ", 1)]
    forged = ("X-Forwarded-For", "X-Real-IP", "Forwarded")
    answers = await asyncio.gather(
        *(attempt(strict, spellings[n % 4], "not the password", **{forged[n % 3]: f"203.0.113.{n}"}) for n in range(30))
    )
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 25
    for answer in answers:
        if answer.status_code == 429:
            assert is_problem(answer, 429, "rate_limited") and 1 <= int(answer.headers["retry-after"]) <= 60
    assert (await attempt(strict, her.name, PASSWORD)).status_code == 429, "nor does the right one tell more"
    assert (await her.client.get("/api/v1/auth/me")).status_code == 200, "who is signed in stays so"


async def test_A37_of_a_burst_from_one_address_exactly_twenty_pass(strict: Served, her: Person) -> None:
    answers = await asyncio.gather(*(attempt(strict, f"nobody{n}", "not the password") for n in range(40)))
    assert sorted(answer.status_code for answer in answers).count(401) == 20
    assert {answer.status_code for answer in answers} == {401, 429}


async def test_an_office_behind_one_address_signs_in_at_once_and_whoever_guesses_there(strict: Served) -> None:
    people = [await person(strict, f"worker{number}") for number in range(24)]
    for one in people:
        await one.client.aclose()
    answers = await asyncio.gather(*(attempt(strict, one.name, PASSWORD) for one in people))
    assert {answer.status_code for answer in answers} == {200}
    wrong = [await attempt(strict, f"nobody{number % 7}", "not the password") for number in range(24)]
    assert [answer.status_code for answer in wrong] == [401] * 20 + [429] * 4
    assert (await attempt(strict, people[0].name, PASSWORD)).status_code == 200
    assert (await attempt(strict, "nobody9", "not the password")).status_code == 429


async def test_guessing_the_current_password_is_as_slow(her: Person) -> None:
    body = {"current_password": "not the password", "new_password": "another long one"}
    answers = [await her.client.post("/api/v1/auth/password", json=body) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [403] * 5 + [429] * 2


async def test_requests_are_counted_by_user_but_not_polls(her: Person, strict: Served) -> None:
    other = await person(strict, "bob")
    accepted = await her.ask(await her.conversation(), "[[tokens=1]]")
    await her.ended(accepted["job"]["id"])
    for _ in range(50):
        assert (await her.client.get(f"/api/v1/jobs/{accepted['job']['id']}?after=1")).status_code == 200
    answers = [await her.client.get("/api/v1/auth/me") for _ in range(40)]
    assert [answer.status_code for answer in answers] == [200] * 28 + [429] * 12
    assert is_problem(answers[-1], 429, "rate_limited") and int(answers[-1].headers["retry-after"]) <= 60
    assert (await her.client.get(f"/api/v1/jobs/{accepted['job']['id']}")).status_code == 200
    async with other.client:
        assert (await other.client.get("/api/v1/auth/me")).status_code == 200


async def test_registrations_from_one_address_are_counted(strict: Served) -> None:
    async with httpx.AsyncClient(base_url=strict.url, timeout=20, verify=False) as client:
        accounts = [{"username": f"n{n}", "email": f"n{n}@x.org", "password": PASSWORD} for n in range(104)]
        answers = await asyncio.gather(*(client.post("/api/v1/auth/register", json=account) for account in accounts))
        assert sorted(a.status_code for a in answers) == [201] * 100 + [429] * 4
        bad = await client.post("/api/v1/auth/register", json={**accounts[0], "username": "x y"})
        assert bad.status_code == 422, "a slip of the pen is not counted"


@pytest.mark.parametrize("signup", ["closed", "invite"])
async def test_the_door_is_shut_for_all_but_the_first_and_the_invited(tmp_path: Path, signup: str) -> None:
    with serving(tmp_path / "data", signup=signup) as served:
        async with httpx.AsyncClient(base_url=served.url, timeout=20, verify=False) as client:

            async def register(name: str, invite: str | None = None) -> httpx.Response:
                account = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
                body = account if invite is None else {**account, "invite": invite}
                return await client.post("/api/v1/auth/register", json=body)

            assert (await register("dana")).json()["role"] == "admin"
            first, taken = await register("alice"), await register("dana")
            assert is_problem(first, 403, "signup_closed") and is_problem(taken, 403, "signup_closed")
            login = await client.post("/api/v1/auth/login", data={"username": "dana", "password": PASSWORD})
            headers = {"Authorization": f"Bearer {login.json()['access_token']}"}
            invite = (await client.post("/api/v1/invites", headers=headers)).json()["invite"]
            answers = await asyncio.gather(*(register(f"guest{n}", invite) for n in range(5)))
            expected = [201, 403, 403, 403, 403] if signup == "invite" else [403] * 5
            assert sorted(answer.status_code for answer in answers) == expected


async def test_over_the_limit_of_the_whole_queue_is_503(tmp_path: Path) -> None:
    with serving(tmp_path / "data", max_queued=2, model_slots=1) as served:
        alice, bob = await person(served, "alice"), await person(served, "bob")
        async with alice.client, bob.client:
            conversation_id = await alice.conversation()
            job = (await alice.ask(conversation_id, "[[first=60000]]"))["job"]
            while job["status"] == "queued":
                job = (await alice.client.get(f"/api/v1/jobs/{job['id']}?wait=5&after=1")).json()
            await alice.ask(conversation_id)
            await alice.ask(conversation_id)
            path = f"/api/v1/conversations/{await bob.conversation(model=MODEL)}/messages"
            refused = await bob.client.post(path, json={"content": "x"})
            assert is_problem(refused, 503, "server_busy") and 5 <= int(refused.headers["retry-after"]) <= 300
            assert (await bob.client.get(path)).json()["items"] == []
            await served.run(lambda: served.services.endings.cancel_all(alice.id))

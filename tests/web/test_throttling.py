"""What others get wrong keeps nobody out of their own account; one account has one count, by any name. (A37)"""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.api.people import add_user, bearer
from tests.api.people import sign_in as api_sign_in
from tests.api.serving import Served, serving
from tests.factories.accounts import PASSWORD
from tests.web.visitor import token_in


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Served]:
    with serving(tmp_path / "data", rate_limit=40, trusted_proxies=["127.0.0.1"]) as running:
        await running.run(lambda: add_user(running.services.database, "alice", "admin"))
        yield running


@pytest.fixture
async def browser(guarded: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=guarded.url, verify=False) as browser:
        yield browser


async def sign_in(browser: httpx.AsyncClient, name: str, password: str, address: str) -> int:
    """By the page, from that address."""
    headers = {"X-Forwarded-For": address}
    token = token_in((await browser.get("/login", headers=headers)).text)
    fields = {"csrf_token": token, "username": name, "password": password}
    return (await browser.post("/login", data=fields, headers=headers)).status_code


async def sign_out(browser: httpx.AsyncClient) -> None:
    token = token_in((await browser.get("/")).text)
    assert (await browser.post("/logout", data={"csrf_token": token})).status_code == 303


async def test_A37_her_own_device_is_let_in_while_others_guess(guarded: Served, browser: httpx.AsyncClient) -> None:
    assert await sign_in(browser, "alice", PASSWORD, "192.0.2.1") == 303
    await sign_out(browser)
    async with httpx.AsyncClient(base_url=guarded.url, verify=False) as stranger:
        guesses = [await sign_in(stranger, "alice", f"guess {n} of it", f"198.51.100.{n}") for n in range(8)]
        assert guesses == [401] * 5 + [429] * 3
        assert await sign_in(stranger, "alice", PASSWORD, "198.51.100.99") == 429, "a stranger has to wait"
    assert await sign_in(browser, "alice", PASSWORD, "203.0.113.7") == 303, "her device, from elsewhere"


async def test_A37_a_name_and_an_address_are_one_account(guarded: Served, browser: httpx.AsyncClient) -> None:
    spelled = ["alice", "ALICE", "alice@example.org", "Alice@Example.org", "ａｌｉｃｅ", "alice"]
    statuses = [await sign_in(browser, name, "a wrong password", f"198.51.100.{n}") for n, name in enumerate(spelled)]
    assert statuses == [401] * 5 + [429]


async def test_pages_count_as_requests(browser: httpx.AsyncClient) -> None:
    assert await sign_in(browser, "alice", PASSWORD, "192.0.2.1") == 303
    statuses = [(await browser.get("/settings")).status_code for _ in range(45)]
    assert statuses.count(429) >= 5 and statuses[:30] == [statuses[0]] * 30
    refused = await browser.get("/settings")
    assert refused.status_code == 429 and int(refused.headers["retry-after"]) > 0


async def test_guessing_where_the_password_is_asked_for_again_is_as_slow(guarded: Served) -> None:
    async with bearer(guarded.url, (await api_sign_in(guarded.url, "alice"))["access_token"]) as thief:
        guesses = [await thief.post("/api/v1/auth/confirm", json={"password": f"guess {n}"}) for n in range(6)]
    assert [answer.status_code for answer in guesses] == [403] * 5 + [429]

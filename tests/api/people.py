"""Callers of the API: each signed in through it, each with a client that carries only a bearer."""

import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import select, text

from app.accounts.access_tokens import Pair, issue_pair
from app.accounts.models import User
from app.accounts.principal import CONFIRMED_FOR
from app.accounts.sessions import start_session
from app.clock import utcnow
from app.db.session import Database
from app.db.types import to_text
from tests.api.serving import Served
from tests.factories.accounts import PASSWORD, password_hash

MODEL = "ollama/scripted:latest"
MISSING = "0198c0de-0000-7000-8000-000000000000"
_numbers = itertools.count(1)


@dataclass
class Person:
    """`client` sends the access token; `tokens` is what signing in answered."""

    name: str
    id: str
    client: httpx.AsyncClient
    tokens: dict[str, Any]

    async def conversation(self, **fields: Any) -> str:
        answer = await self.client.post("/api/v1/conversations", json={"model": MODEL, **fields})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def ask(self, conversation_id: str, content: str = "Hello [[tokens=3]]", **fields: Any) -> dict[str, Any]:
        path = f"/api/v1/conversations/{conversation_id}/messages"
        answer = await self.client.post(path, json={"content": content, **fields})
        assert answer.status_code == 202, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def ended(self, job_id: str) -> dict[str, Any]:
        """The job, once it has ended."""
        answer = await self.client.get(f"/api/v1/jobs/{job_id}", params={"wait": 20}, timeout=25)
        job: dict[str, Any] = answer.json()
        assert job["status"] in ("succeeded", "failed", "cancelled"), answer.text
        return job

    async def answered(
        self, conversation_id: str, content: str = "Hello [[tokens=3]]", **fields: Any
    ) -> dict[str, Any]:
        """Ask, and wait for the answer's end: the 202's body."""
        accepted = await self.ask(conversation_id, content, **fields)
        await self.ended(accepted["job"]["id"])
        return accepted


async def sign_in(url: str, name: str, password: str = PASSWORD) -> dict[str, Any]:
    """Through the API, on a connection of its own that keeps no cookie."""
    async with httpx.AsyncClient(base_url=url, verify=False) as client:
        answer = await client.post("/api/v1/auth/login", data={"username": name, "password": password})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def bearer(url: str, token: str) -> httpx.AsyncClient:
    # Nothing is encrypted here, and reading the certificates takes 20 ms.
    return httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=15, verify=False)


async def add_user(database: Database, name: str, role: str = "member") -> str:
    async with database.transaction() as session:
        user = User(
            username=name,
            username_folded=name,
            email=f"{name}@example.org",
            email_folded=f"{name}@example.org",
            password_hash=password_hash(),
            role=role,
        )
        session.add(user)
        await session.flush()
        return user.id


async def signed_in_long_ago(served: Served, name: str) -> None:
    """What this person signed in to so far, they signed in to when nobody asks for the password any more."""
    statement = "UPDATE sessions SET confirmed_at = NULL, created_at = :then WHERE user_id = :id"
    then = to_text(utcnow() - CONFIRMED_FOR - timedelta(seconds=1))

    async def change() -> None:
        async with served.services.database.transaction() as session:
            user_id = await session.scalar(select(User.id).where(User.username == name))
            await session.execute(text(statement), {"then": then, "id": user_id})

    await served.run(change)


async def person(served: Served, name: str) -> Person:
    """A new member whose name begins like that, signed in (without the password's cost: others test that)."""
    unique = f"{name}{next(_numbers)}"
    services = served.services

    async def made() -> tuple[str, Pair]:
        user_id = await add_user(services.database, unique)
        async with services.database.transaction() as session:
            started = await start_session(session, user_id, kind="api")
            return user_id, await issue_pair(session, services.keyring, started)

    user_id, pair = await served.run(made)
    tokens = {"access_token": pair.access_token, "refresh_token": pair.refresh_token}
    return Person(unique, user_id, bearer(served.url, pair.access_token), tokens)

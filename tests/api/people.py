"""Callers of the API: each signed in through it, each with a client that carries only a bearer."""

import itertools
from dataclasses import dataclass
from typing import Any

import httpx

from app.accounts.models import User
from app.db.session import Database
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
    async with httpx.AsyncClient(base_url=url) as client:
        answer = await client.post("/api/v1/auth/login", data={"username": name, "password": password})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def bearer(url: str, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=15)


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


async def person(served: Served, name: str) -> Person:
    """A new member whose name begins like that."""
    unique = f"{name}{next(_numbers)}"
    user_id = await served.run(lambda: add_user(served.services.database, unique))
    tokens = await sign_in(served.url, unique)
    return Person(unique, user_id, bearer(served.url, tokens["access_token"]), tokens)

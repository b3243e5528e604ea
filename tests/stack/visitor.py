"""A client that counts every refusal: through a restart there is to be none."""

import asyncio
import contextlib
import ssl
import time
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from tests.durability.client import Seen

PASSWORD = "a long password"
SCRIPTED = "ollama/scripted:latest"


@dataclass(slots=True)
class Visitor:
    """Somebody signed in. `failed` is what the site did not answer as it should have."""

    http: aiohttp.ClientSession
    url: str
    token: str
    failed: list[str] = field(default_factory=list)
    longest_silence: float = 0.0

    async def ask(self, method: str, path: str, **arguments: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} | arguments.pop("headers", {})
        try:
            async with self.http.request(method, f"{self.url}/api/v1{path}", headers=headers, **arguments) as answer:
                if answer.status < 300:
                    return await answer.json()
                self.failed.append(f"{method} {path}: {answer.status} {(await answer.text())[:200]}")
        except (aiohttp.ClientError, TimeoutError) as error:
            self.failed.append(f"{method} {path}: {error!r}")
        return None

    async def begin(self, content: str, model: str = SCRIPTED) -> tuple[str, str] | None:
        """A message in a conversation of its own: the job and the answer's message; None where that failed."""
        conversation = await self.ask("POST", "/conversations", json={"model": model})
        if conversation is None:
            return None
        accepted = await self.ask("POST", f"/conversations/{conversation['id']}/messages", json={"content": content})
        return accepted and (accepted["job"]["id"], accepted["assistant_message"]["id"])

    async def watch(self, job_id: str) -> Seen:
        """By stream to the end; a stream that ends is opened again at once where it ended."""
        seen, heard_at = Seen(), time.monotonic()
        headers = {"Authorization": f"Bearer {self.token}"}
        while seen.done is None:
            url = f"{self.url}/api/v1/jobs/{job_id}/events?after={seen.last}"
            try:
                async with self.http.get(url, headers=headers) as answer:
                    if answer.status != 200:
                        self.failed.append(f"stream: {answer.status} {(await answer.text())[:200]}")
                    else:
                        async for number, event, data in events_of(answer):
                            now = time.monotonic()
                            self.longest_silence = max(self.longest_silence, now - heard_at)
                            heard_at = now
                            seen.take(number, event, data)
            except (aiohttp.ClientError, TimeoutError):
                pass  # a stream may be cut: what counts is that the next one is there
            await asyncio.sleep(0.1)
        return seen

    async def poll(self, job_id: str) -> Seen:
        """The same by long poll, of which none may fail."""
        seen = Seen()
        while seen.done is None:
            job = await self.ask("GET", f"/jobs/{job_id}?wait=20&after={seen.last}")
            for event in job["events"] if job else ():
                seen.take(event["id"], event["event"], event["data"])
            if job is None:
                await asyncio.sleep(0.1)
        return seen


async def events_of(answer: aiohttp.ClientResponse) -> AsyncIterator[tuple[int | None, str, Any]]:
    number: int | None = None
    event = ""
    async for raw in answer.content:
        line = raw.decode().rstrip("\n")
        if line.startswith("id: "):
            number = int(line[4:])
        elif line.startswith("event: "):
            event = line[7:]
        elif line.startswith("data: "):
            yield number, event, orjson.loads(line[6:])
            number = None


def sign_up(url: str, name: str, context: ssl.SSLContext | None = None) -> str:
    """A new account's access token; it lives for a quarter of an hour."""
    account = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    media = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/api/v1/auth/register", orjson.dumps(account), media)
    with urllib.request.urlopen(request, timeout=10, context=context) as answer:
        assert answer.status == 201
    form = urllib.parse.urlencode({"username": name, "password": PASSWORD}).encode()
    with urllib.request.urlopen(f"{url}/api/v1/auth/login", form, timeout=10, context=context) as answer:
        return str(orjson.loads(answer.read())["access_token"])


@contextlib.asynccontextmanager
async def visitors(
    url: str, tokens: Sequence[str], context: ssl.SSLContext | None = None
) -> AsyncIterator[list[Visitor]]:
    connector = aiohttp.TCPConnector(limit=0, ssl=context or True)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(90)) as http:
        yield [Visitor(http, url, token) for token in tokens]

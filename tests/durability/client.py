"""A client that does not give up: posts with a key until it has read the 202, follows by position until `done`."""

import asyncio
import contextlib
import random
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

GONE = (aiohttp.ClientError, asyncio.TimeoutError, ConnectionError)


@dataclass(slots=True)
class Seen:
    """All that one viewer was shown, in order."""

    ids: list[int] = field(default_factory=list)
    text: str = ""
    restarts: int = 0
    shrank: bool = False
    done: dict[str, Any] | None = None

    def take(self, number: int | None, event: str, data: dict[str, Any]) -> None:
        # Who comes back when the log is folded gets all that it came to, under the number of its last event.
        if number is not None and (event, number) != ("snapshot", self.last):
            self.ids.append(number)
        if event == "delta":
            self.text += data["text"]
        elif event == "snapshot":
            self.shrank = self.shrank or not data["content"].startswith(self.text)
            self.text = data["content"]
        elif event == "restart":
            self.restarts += 1
            self.text = ""
        elif event == "done":
            self.done = data

    @property
    def last(self) -> int:
        return self.ids[-1] if self.ids else 0


class Client:
    def __init__(self, http: aiohttp.ClientSession, url: str, name: str) -> None:
        self._http, self._url, self.name = http, f"{url}/api/v1", name
        self._headers: dict[str, str] = {}

    async def insist(self, method: str, path: str, **arguments: Any) -> Any:
        """The JSON answer, however often it takes."""
        for _ in range(600):
            with contextlib.suppress(*GONE):
                async with self._http.request(method, f"{self._url}{path}", **arguments) as response:
                    if response.status < 300:
                        return await response.json()
                    if response.status not in (502, 503, 504):
                        raise AssertionError(f"{method} {path}: {response.status} {await response.text()}")
            await asyncio.sleep(0.1)
        raise AssertionError(f"{method} {path}: no answer")

    async def sign_in(self) -> None:
        account = {"username": self.name, "email": f"{self.name}@example.org", "password": "a long password"}
        with contextlib.suppress(AssertionError):  # registered by a try whose answer was lost
            await self.insist("POST", "/auth/register", json=account)
        pair = await self.insist("POST", "/auth/login", data={"username": self.name, "password": "a long password"})
        self._headers = {"Authorization": f"Bearer {pair['access_token']}"}

    async def conversation(self) -> str:
        body = {"model": "ollama/scripted:latest"}
        return str((await self.insist("POST", "/conversations", json=body, headers=self._headers))["id"])

    async def send(self, conversation_id: str, content: str, key: str) -> Any:
        headers = {**self._headers, "Idempotency-Key": key}
        path = f"/conversations/{conversation_id}/messages"
        return await self.insist("POST", path, json={"content": content}, headers=headers)

    async def send_once(self, conversation_id: str, content: str, key: str) -> None:
        """Without insisting: raises one of GONE when the server is."""
        headers = {**self._headers, "Idempotency-Key": key}
        url = f"{self._url}/conversations/{conversation_id}/messages"
        async with self._http.post(url, json={"content": content}, headers=headers) as response:
            await response.read()

    async def get(self, path: str) -> Any:
        return await self.insist("GET", path, headers=self._headers)

    async def follow(self, job_id: str, *, leave: bool = False) -> Seen:
        """Watch to the end, coming back by position; with `leave` also going away at random."""
        seen = Seen()
        while seen.done is None:
            with contextlib.suppress(*GONE):
                async with asyncio.timeout(random.uniform(0.02, 0.3) if leave else 60):
                    await self._watch(job_id, seen)
            await asyncio.sleep(0.02 if leave else 0.1)
        return seen

    async def _watch(self, job_id: str, seen: Seen) -> None:
        headers = {**self._headers, "Last-Event-ID": str(seen.last)}
        async with self._http.get(f"{self._url}/jobs/{job_id}/events", headers=headers) as response:
            if response.status != 200:
                return
            number, event = None, ""
            async for raw in response.content:
                line = raw.decode().rstrip("\n")
                if line.startswith("id: "):
                    number = int(line[4:])
                elif line.startswith("event: "):
                    event = line[7:]
                elif line.startswith("data: "):
                    seen.take(number, event, orjson.loads(line[6:]))
                    number = None

"""Two clients that want the same answer: one asks the model server, the other Teahouse."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson


@dataclass(slots=True)
class Measured:
    """One answer. Times in seconds; `delays` from the model server's write to the viewer's read, per token."""

    first_token: float = 0.0
    tokens: int = 0
    failed: str = ""
    delays: list[float] = field(default_factory=list)

    def take(self, text: str, read_at: int) -> None:
        for stamp in text.split():
            self.delays.append((read_at - int(stamp)) / 1e9)
            self.tokens += 1


def prompt(number: int, tokens: int, rate: float, first: float, text: str = "clock") -> str:
    return f"benchmark {number} [[tokens={tokens} rate={rate} first={first} text={text}]]"


async def ask_model_server(http: aiohttp.ClientSession, url: str, content: str) -> Measured:
    measured = Measured()
    began = time.monotonic()
    body = {"model": "scripted:latest", "messages": [{"role": "user", "content": content}]}
    async with http.post(f"{url}/api/chat", json=body) as response:
        async for line in response.content:
            now = time.monotonic_ns()
            text = orjson.loads(line)["message"]["content"]
            if text and not measured.first_token:
                measured.first_token = time.monotonic() - began
            measured.take(text, now)
    return measured


class Teahouse:
    """A signed-in API client."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self.url = http, f"{url}/api/v1"
        self.headers: dict[str, str] = {}

    async def sign_in(self, name: str = "bench") -> None:
        account = {"username": name, "email": f"{name}@example.org", "password": "correct horse battery"}
        await self.post("/auth/register", account)
        form = {"username": name, "password": account["password"]}
        async with self._http.post(f"{self.url}/auth/login", data=form) as response:
            token = (await response.json())["access_token"]
        self.headers = {"Authorization": f"Bearer {token}"}

    async def post(self, path: str, body: Any) -> Any:
        async with self._http.post(f"{self.url}{path}", json=body, headers=self.headers) as response:
            return await response.json()

    async def get(self, path: str) -> bytes:
        async with self._http.get(f"{self.url}{path}", headers=self.headers) as response:
            assert response.status == 200, response.status
            return await response.read()

    async def conversation(self) -> str:
        return str((await self.post("/conversations", {"model": "ollama/scripted:latest"}))["id"])

    async def ask(self, conversation_id: str, content: str) -> Measured:
        """Post, then watch the job's stream to its end."""
        measured = Measured()
        began = time.monotonic()
        accepted = await self.post(f"/conversations/{conversation_id}/messages", {"content": content})
        if "job" not in accepted:
            measured.failed = str(accepted)
            return measured
        url = f"{self.url}/jobs/{accepted['job']['id']}/events"
        async with self._http.get(url, headers=self.headers) as response:
            await self._watch(response, measured, began)
        return measured

    async def _watch(self, response: aiohttp.ClientResponse, measured: Measured, began: float) -> None:
        event, ended = b"", b""
        async for line in response.content:
            if line.startswith(b"event: "):
                event = line[7:-1]
            elif line.startswith(b"data: ") and event == b"delta":
                now = time.monotonic_ns()
                if not measured.first_token:
                    measured.first_token = time.monotonic() - began
                measured.take(orjson.loads(line[6:])["text"], now)
            elif line.startswith(b"data: ") and event == b"done":
                ended = line[6:]
        status = orjson.loads(ended)["job"]["status"] if ended else "cut"
        measured.failed = "" if status == "succeeded" else str(status)


async def at_once(number: int, ask: Any) -> list[Measured]:
    """`ask(i)` for each i, all together."""
    return list(await asyncio.gather(*(ask(i) for i in range(number))))


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

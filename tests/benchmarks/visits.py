"""People who come, ask, look away, come back, change their minds and go: what a day of a site is made of."""

import asyncio
import random
import uuid
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from tests.model_server import answer_for

TRIES = 10
PASSWORD = "correct horse battery"
ENDED = ("succeeded", "failed", "cancelled")


@dataclass(slots=True)
class Tally:
    """What was done in all, and what was not as promised."""

    visits: int = 0
    answers: int = 0
    tokens: int = 0
    resumed: int = 0
    cancelled: int = 0
    regenerated: int = 0
    deleted: int = 0
    told_to_wait: int = 0  # 503: asked again, with the same key
    streams_cut: int = 0  # opened again where they ended
    wrong: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Seen:
    """What one viewer has of one answer."""

    position: int = 0
    text: str = ""
    status: str = ""


@dataclass(slots=True)
class Person:
    name: str
    conversations: list[str] = field(default_factory=list)


class Visit:
    """One sign-in with its own connections, to its sign-out."""

    def __init__(self, http: aiohttp.ClientSession, url: str, person: Person, chance: random.Random, tally: Tally):
        self._http, self._url, self._person = http, f"{url}/api/v1", person
        self._chance, self._tally = chance, tally
        self._headers: dict[str, str] = {}
        self.doing = "coming"

    async def register(self) -> None:
        name = self._person.name
        await self._send("POST", "/auth/register", username=name, email=f"{name}@example.org", password=PASSWORD)

    async def run(self) -> None:
        form = {"username": self._person.name, "password": PASSWORD}
        signed_in = await self._request("POST", "/auth/login", data=form)
        self._headers = {"Authorization": f"Bearer {signed_in['access_token']}"}
        await self._send("GET", "/conversations")
        for _ in range(self._chance.randint(1, 4)):
            await self._ask(await self._conversation())
            await asyncio.sleep(self._chance.uniform(0, 0.5))
        if self._person.conversations and self._chance.random() < 0.2:
            gone = self._person.conversations.pop(self._chance.randrange(len(self._person.conversations)))
            await self._send("DELETE", f"/conversations/{gone}")
            self._tally.deleted += 1
        await self._send("POST", "/auth/logout")
        self._tally.visits += 1

    async def _conversation(self) -> str:
        """One that there is, looked at first, or a new one."""
        if self._person.conversations and self._chance.random() < 0.6:
            chosen = self._chance.choice(self._person.conversations)
            await self._send("GET", f"/conversations/{chosen}/messages")
            return chosen
        made = await self._send("POST", "/conversations", model="ollama/scripted:latest")
        self._person.conversations.append(made["id"])
        return str(made["id"])

    async def _ask(self, conversation: str) -> None:
        prompt = f"tea {self._chance.random()} [[tokens={self._chance.randint(10, 80)} rate=40]]"
        sent = await self._send("POST", f"/conversations/{conversation}/messages", content=prompt)
        if await self._follow(sent, prompt) and self._chance.random() < 0.1:
            again = await self._send("POST", f"/messages/{sent['assistant_message']['id']}/regenerate")
            self._tally.regenerated += 1
            await self._follow(again, prompt)

    async def _follow(self, sent: dict[str, Any], prompt: str) -> bool:
        """To the end, with a look away or two; or it is stopped. Whether it was answered."""
        job, seen = sent["job"]["id"], Seen()
        stops = self._chance.random() < 0.15
        for _ in range(self._chance.randint(0, 2) + stops):
            await self._watch(job, seen, events=self._chance.randint(1, 8))
            if seen.status:
                break
            self._tally.resumed += 1
            await asyncio.sleep(self._chance.uniform(0, 0.3))
        if stops and not seen.status:
            await self._send("POST", f"/jobs/{job}/cancel")
            self._tally.cancelled += 1
        for attempt in range(TRIES):
            if seen.status:
                break
            if attempt:
                self._tally.streams_cut += 1
                await asyncio.sleep(1)
            await self._watch(job, seen)
        self._tally.answers += 1
        whole = "".join(answer_for(prompt))
        if seen.status not in ENDED or not whole.startswith(seen.text):
            self._tally.wrong.append(f"job {job}: {seen.status or 'no end'}, {seen.text[-40:]!r}")
        elif seen.status == "failed" or (seen.status == "succeeded" and seen.text != whole):
            self._tally.wrong.append(f"job {job}: {seen.status} with {len(seen.text)} of {len(whole)} characters")
        return seen.status == "succeeded"

    async def _watch(self, job: str, seen: Seen, events: int | None = None) -> None:
        """On from where one was, for so many events or to the end."""
        headers = {**self._headers, "Last-Event-ID": str(seen.position)}
        self.doing = f"watching {job} after {seen.position}"
        name = b""
        async with self._http.get(f"{self._url}/jobs/{job}/events", headers=headers) as stream:
            async for line in stream.content:
                if line.startswith(b"id: "):
                    number = int(line[4:])
                    if number <= seen.position:
                        self._tally.wrong.append(f"job {job}: event {number} after {seen.position}")
                    seen.position = number
                elif line.startswith(b"event: "):
                    name = line[7:-1]
                elif line.startswith(b"data: "):
                    self._take(seen, name, orjson.loads(line[6:]))
                    if events is not None:
                        events -= 1
                        if events <= 0:
                            return

    def _take(self, seen: Seen, event: bytes, data: dict[str, Any]) -> None:
        if event == b"delta":
            seen.text += data["text"]
            self._tally.tokens += data["text"].count(" ")
        elif event == b"snapshot":
            seen.text = data["content"]
        elif event == b"done":
            seen.status = data["job"]["status"]

    async def _send(self, method: str, path: str, **body: Any) -> Any:
        return await self._request(method, path, json=body or None)

    async def _request(self, method: str, path: str, **arguments: Any) -> Any:
        """What the server has no time for is asked again; with a key, so that it is done once."""
        headers = {**self._headers, "Idempotency-Key": str(uuid.UUID(int=self._chance.getrandbits(128)))}
        self.doing = f"{method} {path}"
        for _ in range(TRIES):
            async with self._http.request(method, self._url + path, headers=headers, **arguments) as answer:
                if answer.status < 400:
                    return await answer.json() if answer.status != 204 else None
                if answer.status != 503:
                    break
                self._tally.told_to_wait += 1
                await asyncio.sleep(float(answer.headers["Retry-After"]))
        raise RuntimeError(f"{method} {path}: {answer.status} {await answer.text()}")


async def visit(url: str, person: Person, chance: random.Random, tally: Tally, *, is_new: bool = False) -> None:
    """`is_new`: only makes the account."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(120)) as http:
        coming = Visit(http, url, person, chance, tally)
        try:
            await (coming.register() if is_new else coming.run())
        except (aiohttp.ClientError, RuntimeError, TimeoutError) as error:
            tally.wrong.append(f"{person.name}, while {coming.doing}: {error!r}")

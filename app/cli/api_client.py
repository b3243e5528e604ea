"""The HTTP API, as `teahouse ask` calls it: signs in, comes back after a lost connection, repeats nothing."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from time import monotonic
from typing import Any

import aiohttp

from app.cli.event_stream import Event, EventReader
from app.ids import new_id

PATIENCE = 300.0  # seconds to look for a server that was there before
SILENCE = 45.0  # it pings every 15
TRIES = 5


class Unreachable(Exception):
    """Nobody answers there."""


class Refused(Exception):
    """The server says no, and why."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


@dataclass(frozen=True, slots=True)
class SignIn:
    api_key: str = ""
    username: str = ""
    password: str = ""


class Client:
    """One person's calls to one server."""

    def __init__(self, session: aiohttp.ClientSession, url: str, sign_in: SignIn) -> None:
        self._session, self._sign_in = session, sign_in
        self._api = url.rstrip("/") + "/api/v1"
        self._token = sign_in.api_key
        self._has_answered = False

    async def sign_in(self) -> None:
        if not self._sign_in.api_key:
            form = {"username": self._sign_in.username, "password": self._sign_in.password}
            self._token = (await self._call("POST", "/auth/login", data=form))["access_token"]

    async def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Sent again after a lost connection, and done once: it carries a key that the server knows again."""
        return await self._call("POST", path, json=body, headers={"Idempotency-Key": new_id()})

    async def follow(self, job_id: str) -> AsyncIterator[Event]:
        """The job's events, each once, up to `done`, over as many connections as it takes."""
        last, seen, reader = 0, monotonic(), EventReader()
        while True:
            try:
                async for event in self._stream(job_id, last, reader):
                    seen = monotonic()
                    last = event.id or last
                    yield event
                    if event.name == "done":
                        return
            except Unreachable:
                if monotonic() - seen > PATIENCE:
                    raise
            await asyncio.sleep(reader.retry)

    async def _stream(self, job_id: str, last: int, reader: EventReader) -> AsyncIterator[Event]:
        fresh = EventReader()
        headers = {"Last-Event-ID": str(last), **self._authorization()}
        limits = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=SILENCE)
        try:
            async with self._session.get(
                f"{self._api}/jobs/{job_id}/events", headers=headers, timeout=limits
            ) as response:
                if response.status == 401 and not self._sign_in.api_key:
                    await self.sign_in()  # an access token lives for a quarter of an hour, an answer may take longer
                    return
                await _refuse(response)
                async for chunk in response.content.iter_any():
                    for event in fresh.feed(chunk):
                        yield event
                    reader.retry = fresh.retry
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable from error

    async def _call(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        sent["headers"] = {**sent.get("headers", {}), **self._authorization()}
        for attempt in range(1, TRIES + 1):
            try:
                async with self._session.request(method, self._api + path, **sent) as response:
                    self._has_answered = True
                    await _refuse(response)
                    body: dict[str, Any] = await response.json()
                    return body
            except (aiohttp.ClientError, TimeoutError) as error:
                if attempt == TRIES or not self._has_answered:
                    raise Unreachable from error
            except Refused as refusal:
                if attempt == TRIES or refusal.status not in (429, 503):
                    raise
            await asyncio.sleep(attempt)
        raise Unreachable

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}


async def _refuse(response: aiohttp.ClientResponse) -> None:
    if response.status >= 400:
        try:
            detail = str((await response.json(content_type=None))["detail"])
        except (ValueError, KeyError, TypeError):
            detail = f"The server answered {response.status} {response.reason}."
        raise Refused(response.status, detail)

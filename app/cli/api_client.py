"""The HTTP API, as `teahouse ask` calls it: signs in, comes back after a lost connection, repeats nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

import aiohttp

from app.cli.event_stream import Event, EventReader
from app.ids import new_id

PATIENCE = 300.0  # seconds to look for a server that was there before
SILENCE = 45.0  # it pings every 15
CONTACT = 8.0  # seconds for the first answer; starting this program takes up the rest of the ten
CALL = 60.0  # and each later call, with all its tries
LOST_AFTER = 5.0  # seconds; a restart takes less, so a longer outage is reported
TRIES = 5
AWAY = (502, 503, 504)  # a proxy's words for a server that is restarted


class Unreachable(Exception):
    """Nobody answers there."""


class Stranger(Exception):
    """Somebody answers there, who is not Teahouse."""


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

    async def follow(self, job_id: str, tell_lost: Callable[[], None]) -> AsyncIterator[Event]:
        """The job's events, each once, up to `done`, over as many connections as it takes.

        `tell_lost` is called once for each outage that lasts.
        """
        last, seen, reader, outage = 0, monotonic(), EventReader(), _Outage(tell_lost)
        try:
            while True:
                try:
                    async for event in self._stream(job_id, last, reader, outage):
                        seen = monotonic()
                        last = event.id or last
                        yield event
                        if event.name == "done":
                            return
                except Unreachable:
                    if monotonic() - seen > PATIENCE:
                        raise
                    outage.begin()
                await asyncio.sleep(reader.retry)
        finally:
            outage.end()

    async def _stream(self, job_id: str, last: int, reader: EventReader, outage: "_Outage") -> AsyncIterator[Event]:
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
                if response.status in AWAY:
                    raise Unreachable
                await _refuse(response)
                outage.end()
                async for chunk in response.content.iter_any():
                    for event in fresh.feed(chunk):
                        yield event
                    reader.retry = fresh.retry
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable from error

    async def _call(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        try:
            async with asyncio.timeout(CALL if self._has_answered else CONTACT) as limit:
                return await self._try(limit, method, path, **sent)
        except TimeoutError as error:
            raise Unreachable from error

    async def _try(self, limit: asyncio.Timeout, method: str, path: str, **sent: Any) -> dict[str, Any]:
        sent["headers"] = {**sent.get("headers", {}), **self._authorization()}
        for attempt in range(1, TRIES + 1):
            try:
                async with self._session.request(method, self._api + path, **sent) as response:
                    await response.read()
                    if not self._has_answered:
                        _recognize(response)
                        self._has_answered = True
                        limit.reschedule(asyncio.get_running_loop().time() + CALL)
                    await _refuse(response)
                    body: dict[str, Any] = await response.json()
                    return body
            except (aiohttp.ClientError, TimeoutError) as error:
                if isinstance(error, aiohttp.ClientResponseError) and not self._has_answered:
                    raise Stranger from error  # what came is not HTTP
                if attempt == TRIES or not self._has_answered:
                    raise Unreachable from error
            except Refused as refusal:
                if attempt == TRIES or refusal.status not in (429, 503):
                    raise
            await asyncio.sleep(attempt)
        raise Unreachable

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}


class _Outage:
    """From the first failure to the next connection."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOST_AFTER, self._tell)

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _recognize(response: aiohttp.ClientResponse) -> None:
    """Raises Stranger. Every answer of Teahouse has a number; those of a proxy whose server is away may have none."""
    is_json = response.content_type == "application/problem+json" or (
        response.ok and response.content_type == "application/json"
    )
    if "X-Request-ID" not in response.headers and not is_json and response.status not in AWAY:
        raise Stranger


async def _refuse(response: aiohttp.ClientResponse) -> None:
    if response.status >= 400:
        try:
            detail = str((await response.json(content_type=None))["detail"])
        except (ValueError, KeyError, TypeError):
            detail = f"The server answered {response.status} {response.reason}."
        raise Refused(response.status, detail)

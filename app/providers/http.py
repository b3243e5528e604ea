"""One HTTP session per model server: separate time-outs, named errors, nothing followed, nothing unpacked."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
from aiohttp.http_exceptions import HttpProcessingError

from app.providers.body import Body
from app.providers.budget import Budget, for_answer, for_error, for_json, for_list
from app.providers.circuit import Circuit
from app.providers.errors import (
    FirstTokenTimeout,
    ProviderCut,
    ProviderError,
    ProviderProtocolError,
    ProviderRejected,
    ProviderUnavailable,
)
from app.providers.failures import explanation, from_status, quote
from app.providers.lenient import has_too_many
from app.providers.listing import Listed, ListReader
from app.settings import Settings, is_local_address

FIRST_TOKEN_SECONDS = 600.0  # where nothing but the open connection tells that the server works
LIFE_SECONDS = 60.0  # since its last sign of life
LOOK_SECONDS = 2.0
_ON_THE_WIRE = (aiohttp.ClientError, HttpProcessingError, TimeoutError, OSError, ValueError)


class Upstream:
    """A model server's address, key and connections. Opens no socket before the first call.

    Every call has a connection of its own: llama.cpp closes after each stream while it promises keep-alive, so a
    re-used one would fail at the moment of use.
    """

    def __init__(
        self,
        base_url: str,
        settings: Settings,
        *,
        key: str = "",
        connector: Callable[[], aiohttp.BaseConnector] | None = None,
        label: str = "",
    ) -> None:
        base_url, _, query = base_url.partition("?")
        self._query = f"?{query}" if query else ""  # Azure's api-version, say
        self.base_url = base_url.rstrip("/")
        self.label = label or f"The model server at {host_of(self.base_url)}"
        self._where = "" if connector or host_of(self.base_url) in self.label else f" at {host_of(self.base_url)}"
        self.circuit = Circuit(self.label)
        self.key = key.strip()
        self._settings = settings
        self._connector = connector
        self._session: aiohttp.ClientSession | None = None

    async def json(self, method: str, path: str, body: Any = None, *, seconds: float, at_root: bool = False) -> Any:
        """A short call, all of it within `seconds`; `at_root` leaves the address's /v1 out."""
        parts: list[bytes] = []
        async with self._replied(method, path, body, for_json(seconds), at_root=at_root) as reply:
            while piece := await reply.read():
                parts.append(piece)
        data = b"".join(parts)
        if has_too_many(data):
            raise ProviderProtocolError(f"{self.label} sent too many objects: {self.quote(data)}")
        try:
            return orjson.loads(data) if data else None
        except orjson.JSONDecodeError:
            raise ProviderProtocolError(f"{self.label} did not answer in JSON: {self.quote(data)}") from None

    async def items(self, path: str, name: str, *, seconds: float) -> Listed:
        """The list that the reply has as `name`, however long, within `seconds`: its first items, and how many."""
        budget = for_list(seconds)
        reader, start = ListReader(name, budget.items), b""
        async with self._replied("GET", path, None, budget) as reply:
            while not reader.ended and (piece := await reply.read()):
                start = start or piece
                try:
                    reader.feed(piece)
                except ValueError:
                    break
        if not reader.ended:
            raise ProviderProtocolError(f"{self.label} did not answer with a list: {self.quote(start)}")
        return reader.listed

    @asynccontextmanager
    async def _replied(
        self, method: str, path: str, body: Any, budget: Budget, *, at_root: bool = False
    ) -> AsyncIterator[Body]:
        """The body of a short call; leaving the block closes the connection."""
        base_url = self.base_url.removesuffix("/v1") if at_root else self.base_url
        response: aiohttp.ClientResponse | None = None
        try:
            async with asyncio.timeout(budget.seconds):
                response = await self._send(method, base_url + path + self._query, body)
                yield Body(response, self.label, budget)
        except _ON_THE_WIRE as error:
            raise self._named(error, is_streaming=response is not None, began=False) from None
        finally:
            if response is not None:
                response.close()

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        body: Any,
        *,
        tells: str,
        lives: Callable[[], Awaitable[bool]] | None = None,
        budget: Budget | None = None,
    ) -> AsyncIterator[Body]:
        """The body of a streamed answer, of media type `tells`; leaving the block closes the connection at once.

        `lives` tells whether the server still works. Unless the settings limit the time to the first token, it is
        asked every few seconds, and the server is waited for as long as the answer is yes.
        """
        opened: Body | None = None
        response: aiohttp.ClientResponse | None = None
        watching: asyncio.Task[None] | None = None
        limit = self._settings.first_token_timeout or (LIFE_SECONDS if lives else FIRST_TOKEN_SECONDS)
        try:
            async with asyncio.timeout(self._settings.connect_timeout + limit) as until:
                if lives is not None and not self._settings.first_token_timeout:

                    def longer() -> None:
                        if opened is not None:
                            opened.wait_for_first_token(limit)
                        elif response is None and not until.expired():
                            until.reschedule(asyncio.get_running_loop().time() + limit)

                    watching = asyncio.create_task(_while_it_lives(lives, longer), name="watch-model-server")
                response = await self._send("POST", self.base_url + path + self._query, body)
                await self._refuse_what_is_no_stream(response, tells)
            opened = Body(response, self.label, budget or for_answer(), self._settings.idle_timeout)
            opened.wait_for_first_token(limit)
            yield opened
        except ProviderError as error:
            error.began = error.began or (opened is not None and opened.began)
            raise
        except _ON_THE_WIRE as error:
            began = opened is not None and opened.began
            named = self._named(error, is_streaming=response is not None, began=began)
            if isinstance(named, FirstTokenTimeout) and lives is None and not self._settings.first_token_timeout:
                named.permanent = True  # ten minutes are not waited for twice
            raise named from None
        finally:
            if watching is not None:
                watching.cancel()
            if response is not None:
                response.close()

    def quote(self, data: bytes | str) -> str:
        return quote(explanation(data) if isinstance(data, bytes) else data, self.key)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            headers = {"Accept-Encoding": "identity", "User-Agent": "teahouse"}
            if self.key:
                headers["Authorization"] = f"Bearer {self.key}"
            self._session = aiohttp.ClientSession(
                connector=self._connector() if self._connector else aiohttp.TCPConnector(limit=0, force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=headers,
                timeout=aiohttp.ClientTimeout(
                    total=None,
                    sock_connect=self._settings.connect_timeout,
                    sock_read=None,  # each call sets its own limit
                ),
                # HTTP_PROXY and the like are for what is not at hand.
                trust_env=self._connector is None and not is_local_address(self.base_url),
                auto_decompress=False,
            )
        return self._session

    async def _send(self, method: str, url: str, body: Any) -> aiohttp.ClientResponse:
        """A response with status 200, or the named error."""
        self.circuit.check()
        try:
            data = None if body is None else orjson.dumps(body)
        except TypeError:
            raise ProviderRejected("The conversation holds characters that cannot be sent.") from None
        response = await self._open().request(
            method,
            url,
            data=data,
            headers={"Content-Type": "application/json"} if data else None,
            allow_redirects=False,
        )
        self.circuit.succeeded()
        if response.status == 200:
            return response
        try:
            text = await self._start_of(response)
        finally:
            response.close()
        if 300 <= response.status < 400:
            target = quote(urlsplit(response.headers.get("Location", "")).netloc.rpartition("@")[2])
            raise ProviderProtocolError(f"{self.label} redirects to {target or 'nowhere'}; redirects are not followed.")
        raise from_status(response.status, text, response.headers, self.label, secret=self.key)

    async def _start_of(self, response: aiohttp.ClientResponse) -> bytes:
        """What is quoted of a reply that is none; empty where it cannot be read."""
        budget = for_error()
        try:
            async with asyncio.timeout(budget.seconds):
                return await Body(response, self.label, budget).start()
        except (*_ON_THE_WIRE, ProviderProtocolError):
            return b""

    async def _refuse_what_is_no_stream(self, response: aiohttp.ClientResponse, tells: str) -> None:
        """A captive portal's page or an error object with status 200."""
        kind = response.content_type
        if kind != tells and "html" in kind:
            text = await self._start_of(response)
            raise ProviderProtocolError(f"{self.label} did not answer with a stream: {self.quote(text)}")

    def _named(self, error: Exception, *, is_streaming: bool, began: bool) -> ProviderError:
        """An exception's text may hold the line or the header it choked on, so it is not quoted."""
        if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError) and not is_streaming:
            reason = _why(error.os_error) if isinstance(error, aiohttp.ClientConnectorError) else "it does not react"
            away = ProviderUnavailable(f"{self.label} cannot be reached{self._where}: {reason}")
            self.circuit.failed(away)
            return away
        if isinstance(error, TimeoutError):
            if began:
                return ProviderCut(f"{self.label} fell silent in the middle of the answer.", began=True)
            return FirstTokenTimeout(f"{self.label} did not begin to answer in time.")
        if isinstance(error, aiohttp.ClientPayloadError) or (is_streaming and isinstance(error, OSError)):
            return ProviderCut(f"{self.label} broke off in the middle of the answer.", began=began)
        if isinstance(error, aiohttp.ClientConnectionError | OSError):
            return ProviderUnavailable(f"{self.label} closed the connection without an answer.")
        return ProviderProtocolError(f"{self.label} does not speak proper HTTP ({type(error).__name__}).", began=began)


async def _while_it_lives(lives: Callable[[], Awaitable[bool]], longer: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if await lives():
            longer()


def _why(error: OSError) -> str:
    """The system's word: asyncio's names the address in its own spelling. Only what fails to resolve has none."""
    if isinstance(error, socket.gaierror) or not error.errno:
        return error.strerror or type(error).__name__
    return os.strerror(error.errno)


def host_of(url: str) -> str:
    """host:port, to be shown."""
    return urlsplit(url).netloc.rpartition("@")[2]

"""One HTTP session per model server: separate time-outs, named errors, nothing followed, nothing unpacked."""

import asyncio
import os
import socket
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
from aiohttp.http_exceptions import HttpProcessingError

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
from app.settings import Settings, is_local_address

FIRST_TOKEN_SECONDS = 600.0  # where nothing but the open connection tells that the server works
LIFE_SECONDS = 60.0  # since its last sign of life
LOOK_SECONDS = 2.0
_MAX_ERROR_BODY = 64 * 1024
_MAX_JSON_BODY = 8 * 1024 * 1024
_ERROR_BODY_SECONDS = 5.0
# What some proxies do unasked: zlib's window bits, 0 for plain.
_ENCODINGS = {"identity": 0, "": 0, "gzip": 31, "x-gzip": 31, "deflate": 15}
_UNPACKED_AT_ONCE = 64 * 1024
_MOST_FROM_LITTLE = 1024 * 1024  # bytes; beyond it an answer that is so much smaller when packed is an attack
_LARGEST_RATIO = 200
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
        base_url = self.base_url.removesuffix("/v1") if at_root else self.base_url
        began = False
        try:
            async with asyncio.timeout(seconds):
                response = await self._send(method, base_url + path + self._query, body)
                try:
                    began = True
                    data = await _read(response, _MAX_JSON_BODY)
                finally:
                    response.close()
        except _ON_THE_WIRE as error:
            raise self._named(error, is_streaming=began, began=False) from None
        try:
            return orjson.loads(data) if data else None
        except orjson.JSONDecodeError:
            raise ProviderProtocolError(f"{self.label} did not answer in JSON: {self.quote(data)}") from None

    @asynccontextmanager
    async def stream(
        self, path: str, body: Any, *, tells: str, lives: Callable[[], Awaitable[bool]] | None = None
    ) -> AsyncIterator["Body"]:
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
            opened = Body(response, self._settings.idle_timeout)
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
            async with asyncio.timeout(_ERROR_BODY_SECONDS):
                text = await _read(response, _MAX_ERROR_BODY)
        except _ON_THE_WIRE:
            text = b""
        finally:
            response.close()
        if 300 <= response.status < 400:
            target = quote(urlsplit(response.headers.get("Location", "")).netloc.rpartition("@")[2])
            raise ProviderProtocolError(f"{self.label} redirects to {target or 'nowhere'}; redirects are not followed.")
        raise from_status(response.status, text, response.headers, self.label, secret=self.key)

    async def _refuse_what_is_no_stream(self, response: aiohttp.ClientResponse, tells: str) -> None:
        """A captive portal's page or an error object with status 200; a server that packs what must not be packed."""
        encoding = response.headers.get("Content-Encoding", "identity").lower()
        if encoding not in _ENCODINGS:
            raise ProviderProtocolError(f"{self.label} answered in {quote(encoding)}, which was not asked for.")
        kind = response.content_type
        if kind != tells and "html" in kind:
            text = await _read(response, _MAX_ERROR_BODY)
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


class Body:
    """The chunks of a streamed answer, unpacked where they come packed. `began` once any of it has arrived."""

    def __init__(self, response: aiohttp.ClientResponse, idle_timeout: float) -> None:
        self._content = response.content
        encoding = response.headers.get("Content-Encoding", "identity").lower()
        self._unpacker = zlib.decompressobj(_ENCODINGS[encoding]) if _ENCODINGS[encoding] else None
        self._packed = self._unpacked = 0
        self._response = response
        self._idle_timeout = idle_timeout
        self._was_heard = False
        self.began = False

    async def read(self) -> bytes:
        """Whatever has arrived; empty at the end."""
        if self._unpacker is not None:
            return await self._read_packed(self._unpacker)
        chunk = await self._content.readany()
        if chunk:
            self.began = True
        return chunk

    async def _read_packed(self, unpacker: "zlib._Decompress") -> bytes:
        """However much a few bytes come to: in pieces."""
        while True:
            packed = unpacker.unconsumed_tail or await self._content.readany()
            if not packed:
                return unpacker.flush(_UNPACKED_AT_ONCE)
            self.began = True
            try:
                chunk = unpacker.decompress(packed, _UNPACKED_AT_ONCE)
            except zlib.error:
                raise ProviderProtocolError("The model server's answer is packed wrongly.", began=True) from None
            self._packed += len(packed) - len(unpacker.unconsumed_tail)
            self._unpacked += len(chunk)
            if self._unpacked > _MOST_FROM_LITTLE and self._unpacked > _LARGEST_RATIO * self._packed:
                raise ProviderProtocolError("The model server's answer unpacks to too much.", began=True)
            if chunk:
                return chunk

    def wait_for_first_token(self, seconds: float) -> None:
        """From now on. Nothing changes once it has come."""
        if not self._was_heard:
            self.wait_at_most(seconds)

    def heard_token(self) -> None:
        """From the first token on the idle time-out holds."""
        self._was_heard = True
        self.wait_at_most(self._idle_timeout)

    def wait_at_most(self, seconds: float) -> None:
        """Changes the time-out of the reads to come; a timer per line would cost more than parsing it."""
        connection = self._response.connection
        if connection is not None and connection.protocol is not None:
            connection.protocol.read_timeout = seconds
            connection.protocol.start_timeout()


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


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body's first `limit` bytes."""
    parts: list[bytes] = []
    while limit > 0 and (chunk := await response.content.readany()):
        parts.append(chunk[:limit])
        limit -= len(chunk)
    return b"".join(parts)

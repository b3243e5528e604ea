"""Bodies are read here, before any route: counted as they arrive, checked, then handed on. (A52, A53)"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope

from app.accounts.throttling import network_of
from app.http.guard import EdgeError
from app.http.json_body import check_json

MAX_BODY = 1024 * 1024
# A form of somebody who is not signed in. To decode a megabyte of escapes would hold the loop up for 0.1 s.
MAX_FORM_OF_STRANGER = 64 * 1024
BODY_TIMEOUT = 30.0
# Bytes of bodies that have not arrived whole. A slow sender makes the server keep them.
MAX_OF_ADDRESS, MAX_OF_ALL = 8 * MAX_BODY, 64 * MAX_BODY
JSON = b"application/json"
FORMS = frozenset({b"application/x-www-form-urlencoded", b"multipart/form-data"})
# The OAuth2 password flow is a form by its specification.
FORM_ROUTES = frozenset({"/api/v1/auth/login"})


class Arriving:
    """How many bytes of unfinished bodies each address has sent. Refuses what would be too much."""

    def __init__(self) -> None:
        self._of: Counter[str] = Counter()

    def add(self, address: str, size: int) -> None:
        if self._of[address] + size > MAX_OF_ADDRESS or self._of.total() + size > MAX_OF_ALL:
            raise EdgeError(429, "too_much_at_once", "Too much is being sent at once. Try again.")
        self._of[address] += size

    def remove(self, address: str, size: int) -> None:
        self._of[address] -= size
        if self._of[address] <= 0:
            del self._of[address]


class Bodies:
    """`larger` names path prefixes that take more than a megabyte; those are counted while the route reads them.

    `is_stranger`: whether nobody is signed in behind a request.
    """

    def __init__(
        self,
        larger: Mapping[str, int] | None = None,
        timeout: float = BODY_TIMEOUT,
        *,
        is_stranger: Callable[[Scope], bool] = lambda _: False,
    ) -> None:
        self._larger = tuple((larger or {}).items())
        self._is_stranger = is_stranger
        self._timeout = timeout
        self._arriving = Arriving()

    async def admit(self, scope: Scope, receive: Receive) -> Receive:
        """What the application may read from in place of `receive`."""
        declared = _Declared(scope)
        if not declared.has_body:
            return receive
        if declared.encoding not in (b"", b"identity"):
            raise EdgeError(415, "unsupported_media_type", "Compressed requests are not read here.")
        larger = next((size for prefix, size in self._larger if scope["path"].startswith(prefix)), 0)
        if declared.length > (larger or MAX_BODY):
            raise too_large()
        if larger:
            return _counted(receive, larger)
        is_json = scope["path"].startswith("/api/")
        if is_json:
            is_json = _check_type(scope["path"], declared.content_type)
        most = MAX_FORM_OF_STRANGER if declared.content_type in FORMS and self._is_stranger(scope) else MAX_BODY
        try:
            async with asyncio.timeout(self._timeout):
                body = await self._read(scope, receive, most)
        except TimeoutError:
            raise EdgeError(408, "request_timeout", "The request's body did not arrive in time.") from None
        if is_json and body:
            check_json(body)
        return _replay(body, receive)

    async def _read(self, scope: Scope, receive: Receive, most: int) -> bytes:
        address = network_of(scope["client"][0]) if scope.get("client") else ""
        chunks: list[bytes] = []
        size = 0
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunk = message.get("body", b"")
                if size + len(chunk) > most:
                    raise too_large()
                self._arriving.add(address, len(chunk))
                size += len(chunk)
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return b"".join(chunks)
        finally:
            self._arriving.remove(address, size)


class _Declared:
    """What the headers say of the body."""

    def __init__(self, scope: Scope) -> None:
        self.length, self.is_chunked = 0, False
        self.content_type = self.encoding = b""
        for name, value in scope["headers"]:
            if name == b"content-length":
                self.length = int(value) if value.isdigit() and len(value) < 20 else MAX_BODY * 10**6
            elif name == b"transfer-encoding":
                self.is_chunked = True
            elif name == b"content-type":
                self.content_type = value.split(b";", 1)[0].strip().lower()
            elif name == b"content-encoding":
                self.encoding = value.strip().lower()

    @property
    def has_body(self) -> bool:
        return self.is_chunked or self.length > 0


def _check_type(path: str, content_type: bytes) -> bool:
    """Whether the body is to be JSON. HTML forms cannot send that type, so another site's form gets no further."""
    if path in FORM_ROUTES:
        if content_type not in FORMS:
            raise EdgeError(415, "unsupported_media_type", "Send this as a form.")
        return False
    if content_type != JSON:
        raise EdgeError(415, "unsupported_media_type", "Send this as application/json.")
    return True


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay


def _counted(receive: Receive, limit: int) -> Receive:
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            # Of this type, because Starlette and FastAPI let it through from inside a parser.
            raise HTTPException(413, headers={"Connection": "close"})
        return message

    return counted


def too_large() -> EdgeError:
    return EdgeError(413, "too_large", "The request is too large.")

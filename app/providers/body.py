"""The body of a reply as it arrives: unpacked, within its budget, and in pieces between which others get their turn."""

import asyncio
import zlib

import aiohttp

from app.providers.budget import MIB, PIECE, Budget
from app.providers.errors import ProviderProtocolError
from app.providers.failures import quote

# What some proxies do unasked: zlib's window bits, 0 for plain.
_ENCODINGS = {"identity": 0, "": 0, "gzip": 31, "x-gzip": 31, "deflate": 15}
_MOST_FROM_LITTLE = MIB  # beyond it a reply that is so much smaller when packed is an attack
_LARGEST_RATIO = 200


class Body:
    """`began` once any of it has arrived. Raises ProviderProtocolError for what is packed in a way not known here."""

    def __init__(self, response: aiohttp.ClientResponse, label: str, budget: Budget, idle_timeout: float = 0.0) -> None:
        encoding = response.headers.get("Content-Encoding", "identity").lower()
        if encoding not in _ENCODINGS:
            raise ProviderProtocolError(f"{label} answered in {quote(encoding)}, which was not asked for.")
        self._content = response.content
        self._unpacker = zlib.decompressobj(_ENCODINGS[encoding]) if _ENCODINGS[encoding] else None
        self._packed = self._unpacked = 0
        self._response = response
        self._budget = budget
        self._idle_timeout = idle_timeout
        self._was_heard = False
        self.began = False

    async def read(self) -> bytes:
        """The next piece; empty at the end."""
        piece = await (self._read_packed(self._unpacker) if self._unpacker else self._read_plain())
        self._budget.take(len(piece), max(piece.count(b"\n"), piece.count(b"\r")))
        if len(piece) == PIECE:  # more has come already, so that nothing would be waited for
            await asyncio.sleep(0)
        return piece

    async def start(self) -> bytes:
        """As much of it as the budget allows; what is longer is cut."""
        most = self._budget.bytes
        parts: list[bytes] = []
        try:
            while piece := await self.read():
                parts.append(piece)
        except ProviderProtocolError:
            pass
        return b"".join(parts)[:most]

    async def _read_plain(self) -> bytes:
        piece = await self._content.read(PIECE)
        if piece:
            self.began = True
        return piece

    async def _read_packed(self, unpacker: "zlib._Decompress") -> bytes:
        """However much a few bytes come to: in pieces."""
        while not unpacker.eof:  # what follows the end would be kept by the unpacker
            packed = unpacker.unconsumed_tail
            if not packed:
                packed = await self._content.read(PIECE)
                self._budget.take(len(packed))
            if not packed:
                return unpacker.flush()
            self.began = True
            try:
                piece = unpacker.decompress(packed, PIECE)
            except zlib.error:
                raise ProviderProtocolError("The model server's answer is packed wrongly.", began=True) from None
            self._packed += len(packed) - len(unpacker.unconsumed_tail)
            self._unpacked += len(piece)
            if self._unpacked > _MOST_FROM_LITTLE and self._unpacked > _LARGEST_RATIO * self._packed:
                raise ProviderProtocolError("The model server's answer unpacks to too much.", began=True)
            if piece:
                return piece
        return b""

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

"""The body of one streamed answer, down to the byte."""

import socket
import struct

from aiohttp import web

_SMALL = 64 * 1024


class Cut(Exception):
    """The stream ends here by order of the script."""


class Outlet:
    """Writes chunks straight to the transport; a StreamResponse.write per token would cost three times as much."""

    def __init__(self, request: web.Request, *, cut_at: int | None = None, dribble: bool = False) -> None:
        self._request = request
        self._left = cut_at
        self._dribble = dribble
        self.chunked = True

    async def send(self, data: bytes) -> None:
        if self._left is not None:
            data, self._left = data[: self._left], self._left - len(data)
        if self._dribble:
            for index in range(len(data)):
                self._write(data[index : index + 1])
        elif data:
            self._write(data)
        if self._left is not None and self._left <= 0:
            raise Cut
        transport = self._request.transport
        if transport is not None and transport.get_write_buffer_size() > _SMALL:
            await self._request.writer.drain()

    def _write(self, data: bytes) -> None:
        transport = self._request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client went away")
        transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data)

    def close(self) -> None:
        """End the connection in the middle of the body, politely (FIN)."""
        if self._request.transport is not None:
            self._request.transport.close()

    def reset(self) -> None:
        """End it with RST."""
        transport = self._request.transport
        if transport is not None:
            sock = transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()

"""A TCP proxy between Teahouse and PostgreSQL or Redis: it passes everything on, until it is told what to do instead.

It has a loop and a thread of its own: what it stands between may block.
"""

import asyncio
import contextlib
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REMEMBERED = 1_000_000
_PREPARED = re.compile(rb"P.{4}([^\0]+)\0COMMIT\0", re.DOTALL)
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: a close that the other side hears as a reset


class Lost:
    """One commit whose answer never comes: the next one of a transaction that says `marker`.

    `landed`: the server has made it all the same.
    """

    def __init__(self, marker: bytes, *, landed: bool) -> None:
        self.marker, self.landed = marker, landed
        self.happened = threading.Event()


class Connection:
    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self._ends = (client, server)
        self._names: list[bytes] = []
        self.said = b""  # in this transaction
        self.unanswered: Lost | None = None

    def commits(self, data: bytes) -> bool:
        """Also by the name of a statement that was prepared, as psycopg does with what it says often."""
        prepared = _PREPARED.search(data)
        if prepared is not None:
            self._names.append(prepared[1] + b"\0")
        return b"COMMIT" in data or any(name in data for name in self._names)

    def cut(self) -> None:
        for end in self._ends:
            with contextlib.suppress(OSError):
                sock: socket.socket = end.get_extra_info("socket")
                if sock.family == socket.AF_INET:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.transport.abort()


class Proxy:
    """`port` is what to connect to; `target` a port of this machine, or a Unix socket."""

    def __init__(self, target: int | Path) -> None:
        self._target = target
        self._connections: set[Connection] = set()
        self._losses: list[Lost] = []
        self._is_down = False
        self.cuts = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(5)

    async def _open(self) -> int:
        self._passing = asyncio.Event()
        self._passing.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        async def close() -> None:
            self._server.close()
            self._passing.set()
            self._cut()
            await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    # --- what may happen to a network ---------------------------------------------------------------------------

    def cut(self) -> None:
        """Every connection is reset; new ones are taken."""
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        self.cuts += len(self._connections)
        for connection in self._connections:
            connection.cut()

    @contextmanager
    def down(self) -> Iterator[None]:
        """Every connection is reset, and so is every new one."""
        self._is_down = True
        self.cut()
        try:
            yield
        finally:
            self._is_down = False

    @contextmanager
    def silent(self) -> Iterator[None]:
        """A cable that is out: nothing goes through and nobody is told; what was sent comes when it is in again."""
        self._loop.call_soon_threadsafe(self._passing.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._passing.set)

    def lose(self, marker: bytes, *, landed: bool) -> Lost:
        lost = Lost(marker, landed=landed)
        self._losses.append(lost)
        return lost

    # --- passing on ---------------------------------------------------------------------------------------------

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        await self._passing.wait()
        try:
            if isinstance(self._target, Path):
                server, to_server = await asyncio.open_unix_connection(str(self._target))
            else:
                server, to_server = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            to_client.transport.abort()
            return
        connection = Connection(to_client, to_server)
        if self._is_down:
            connection.cut()
            return
        self._connections.add(connection)
        ways = (self._to_server(connection, client, to_server), self._to_client(connection, server, to_client))
        try:
            await asyncio.gather(*ways)
        except OSError:
            pass
        finally:
            connection.cut()
            self._connections.discard(connection)

    async def _to_server(
        self, connection: Connection, client: asyncio.StreamReader, server: asyncio.StreamWriter
    ) -> None:
        while data := await client.read(65_536):
            await self._passing.wait()
            connection.said = connection.said[-REMEMBERED:] + data
            if connection.commits(data):
                lost = next((lost for lost in self._losses if lost.marker in connection.said), None)
                connection.said = b""
                if lost is not None:
                    self._losses.remove(lost)
                    connection.unanswered = lost
                    if not lost.landed:
                        lost.happened.set()
                        raise ConnectionResetError
            server.write(data)
            await server.drain()
        await self._passing.wait()
        server.write_eof()

    async def _to_client(
        self, connection: Connection, server: asyncio.StreamReader, client: asyncio.StreamWriter
    ) -> None:
        while data := await server.read(65_536):
            await self._passing.wait()
            if connection.unanswered is not None:
                connection.unanswered.happened.set()
                raise ConnectionResetError
            client.write(data)
            await client.drain()
        raise ConnectionResetError  # the server has gone: so does the connection


@contextmanager
def proxy_to(target: int | Path) -> Iterator[Proxy]:
    proxy = Proxy(target)
    try:
        yield proxy
    finally:
        proxy.close()

"""Looks up addresses in threads that nobody waits for: a silent name server would hold up the end of a command."""

import asyncio
import socket
import threading
from contextlib import suppress

from aiohttp.abc import AbstractResolver, ResolveResult

_Found = list[tuple[socket.AddressFamily, str]]


class Resolver(AbstractResolver):
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found: asyncio.Future[_Found] = loop.create_future()

        def settle(addresses: _Found | OSError) -> None:
            if found.cancelled():
                return
            if isinstance(addresses, OSError):
                found.set_exception(addresses)
            else:
                found.set_result(addresses)

        def look() -> None:
            try:
                addresses: _Found | OSError = _addresses(host, port, family)
            except OSError as error:
                addresses = error
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, addresses)

        threading.Thread(target=look, daemon=True).start()
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=flags)
            for kind, address in await found
        ]

    async def close(self) -> None:
        pass


def _addresses(host: str, port: int, family: int) -> _Found:
    try:
        infos = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        # By its number, an IPv6 address with the interface that it is on.
        numeric = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
        return [(kind, socket.getnameinfo(address, numeric)[0]) for kind, _, _, _, address in infos]
    except UnicodeError:
        raise OSError("no name of a host") from None

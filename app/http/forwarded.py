"""Who is really calling, by which name and scheme, as far as a trusted proxy says so."""

import asyncio
import ipaddress
import logging
import re
import socket

from starlette.types import Scope

from app.clock import monotonic

logger = logging.getLogger(__name__)

NAMES_FRESH_SECONDS = 10.0  # a container that is started anew has another address
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_WITH_PORT = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<four>[0-9.]+))(?::\d{1,5})?")


def address_in(text: str) -> _Address | None:
    """Of an address as proxies spell it: with a port, in brackets, an IPv4 one dressed as IPv6."""
    found = _WITH_PORT.fullmatch(text.strip())
    try:
        parsed = ipaddress.ip_address((found["six"] or found["four"]) if found else text.strip())
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return mapped or parsed


class Forwarded:
    """Rewrites `client` and `scheme` of a scope when, and only when, the peer is a trusted proxy.

    `trusted`: addresses, networks, names of hosts; `*` is everybody.
    """

    def __init__(self, trusted: list[str]) -> None:
        self._takes_any = "*" in trusted
        self._networks = []
        self._names = []
        for item in trusted:
            try:
                self._networks.append(ipaddress.ip_network(item, strict=False))
            except ValueError:
                self._names += [item] if item != "*" else []
        self._named: frozenset[_Address] = _resolved(self._names)
        self._named_at = monotonic()
        self._resolving: asyncio.Task[None] | None = None
        self._known: dict[str, bool] = {}

    def is_trusted(self, address: str | None) -> bool:
        """A socket has no address: whoever reaches it was let in by its file's permissions."""
        if not address or self._takes_any:
            return True
        if address not in self._known:
            if len(self._known) > 1000:
                self._known.clear()
            self._known[address] = self._is_listed(address)
        is_trusted = self._known[address]
        if not is_trusted and self._names and monotonic() - self._named_at > NAMES_FRESH_SECONDS:
            self._resolve_again()
        return is_trusted

    def _is_listed(self, address: str) -> bool:
        parsed = address_in(address)
        return parsed is not None and (parsed in self._named or any(parsed in network for network in self._networks))

    def _resolve_again(self) -> None:
        """Not waited for: who comes by the new address is trusted a moment later."""
        self._named_at = monotonic()

        async def resolve() -> None:
            self._named = await asyncio.to_thread(_resolved, self._names)
            self._known.clear()

        self._resolving = asyncio.create_task(resolve(), name="resolve-proxies")

    def apply(self, scope: Scope) -> bool:
        """Returns whether the peer is trusted. `forwarded_host` of the scope is the name that it says was asked for."""
        client = scope.get("client")
        peer = client[0] if client else None
        is_trusted = self.is_trusted(peer)
        scope["peer"], scope["peer_is_trusted"] = peer or "a socket", is_trusted
        if not is_trusted:
            return False
        for name, value in scope["headers"]:
            if name == b"x-forwarded-for":
                self._take_client(scope, value.decode("latin-1"))
            elif name == b"x-forwarded-proto":
                first = value.split(b",")[0].strip().lower()  # what the first proxy was asked by
                if first in (b"http", b"https"):
                    scope["scheme"] = first.decode()
            elif name == b"x-forwarded-host":
                scope["forwarded_host"] = value.split(b",")[0].strip()
        return True

    def _take_client(self, scope: Scope, value: str) -> None:
        # From the right: each proxy appends, and what lies left of the first stranger is hearsay.
        for part in reversed(value.split(",")):
            address = address_in(part)
            if address is None:
                return
            scope["client"] = (str(address), 0)
            if not self.is_trusted(str(address)):
                return


def _resolved(names: list[str]) -> frozenset[_Address]:
    """The addresses of all names. A name that cannot be resolved is logged."""
    found: set[_Address] = set()
    for name in names:
        try:
            told = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except OSError as error:
            logger.warning("TEAHOUSE_TRUSTED_PROXIES: %s cannot be resolved (%s)", name, error.strerror)
            continue
        found |= {address for _, _, _, _, (host, *_) in told if (address := address_in(str(host))) is not None}
    return frozenset(found)

"""Who is really calling, as far as a trusted proxy says so."""

import ipaddress

from starlette.types import Scope


class Forwarded:
    """Rewrites `client` and `scheme` of a scope when, and only when, the peer is a trusted proxy."""

    def __init__(self, trusted: list[str]) -> None:
        self._networks = [ipaddress.ip_network(item, strict=False) for item in trusted]
        self._known: dict[str, bool] = {}

    def is_trusted(self, address: str | None) -> bool:
        """A socket has no address: whoever reaches it was let in by its file's permissions."""
        if not address:
            return True
        if address not in self._known:
            if len(self._known) > 1000:
                self._known.clear()
            self._known[address] = self._in_networks(address)
        return self._known[address]

    def _in_networks(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    def apply(self, scope: Scope) -> bool:
        """Returns whether the peer is trusted."""
        client = scope.get("client")
        if not self.is_trusted(client[0] if client else None):
            return False
        for name, value in scope["headers"]:
            if name == b"x-forwarded-for":
                self._take_client(scope, value.decode("latin-1"))
            elif name == b"x-forwarded-proto" and value in (b"http", b"https"):
                scope["scheme"] = value.decode()
        return True

    def _take_client(self, scope: Scope, value: str) -> None:
        # From the right: each proxy appends, and what lies left of the first stranger is hearsay.
        for part in reversed(value.split(",")):
            address = part.strip()
            try:
                ipaddress.ip_address(address)
            except ValueError:
                return
            scope["client"] = (address, 0)
            if not self.is_trusted(address):
                return

"""What is looked at before anything else of a request: its Host, its size, its method. (A44, A55)"""

import ipaddress
import re

from starlette.types import Scope

from app.settings import Settings

MAX_HEADERS = 100
MAX_HEADER_BYTES = 16 * 1024
MAX_URL_BYTES = 8 * 1024

_HOST = re.compile(rb"(?P<name>\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::[0-9]{1,5})?")
# Monitoring asks by any name or address, and learns nothing about anybody.
_PROBES = frozenset({"/healthz", "/readyz"})
_REFUSED_METHODS = frozenset({"TRACE", "CONNECT"})


class EdgeError(Exception):
    """Turned away at the edge; there is no route yet that could say it better."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


class Guard:
    """Refuses what no route should ever see."""

    def __init__(self, settings: Settings) -> None:
        self._hosts = frozenset(host.strip("[]").encode() for host in settings.hosts)
        self._takes_any = "*" in settings.hosts
        self._takes_addresses = settings.listens_beyond_this_machine

    def check(self, scope: Scope) -> None:
        self._take_forwarded_host(scope)
        headers = scope["headers"]
        size = 0
        hosts = []
        for name, value in headers:
            size += len(name) + len(value) + 4
            if name == b"host":
                hosts.append(value)
        if size > MAX_HEADER_BYTES or len(headers) > MAX_HEADERS:
            raise EdgeError(431, "headers_too_large", "The request has too many or too large headers.")
        is_probe = scope["path"] in _PROBES
        if not is_probe and (len(hosts) != 1 or not self._allows(hosts[0])):
            raise EdgeError(400, "bad_host", "This server does not answer under that name. See TEAHOUSE_ALLOWED_HOSTS.")
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_URL_BYTES:
            raise EdgeError(414, "url_too_long", "The address is too long.")
        if scope["method"] in _REFUSED_METHODS:
            raise EdgeError(405, "method_not_allowed", "This address does not answer to that method.")
        path = scope["path"]
        if not path.startswith("/"):
            raise EdgeError(400, "bad_request", "The request could not be read.")
        if "\0" in path:
            raise EdgeError(404, "not_found", "There is nothing here, or it is not yours.")

    def _take_forwarded_host(self, scope: Scope) -> None:
        """A proxy that asks by a name of its own says by which it was asked."""
        named = scope.get("forwarded_host")
        others = [header for header in scope["headers"] if header[0] != b"host"]
        if named and self._allows(named) and len(others) == len(scope["headers"]) - 1:  # two Hosts stay two
            scope["headers"] = [*others, (b"host", named)]

    def _allows(self, host: bytes) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match["name"].strip(b"[]").lower()
        return name in self._hosts or self._takes_any or (self._takes_addresses and _is_address(name))


def _is_address(name: bytes) -> bool:
    """Who names the address itself was led here by no name: nothing can be rebound."""
    try:
        ipaddress.ip_address(name.decode())
    except ValueError:
        return False
    return True

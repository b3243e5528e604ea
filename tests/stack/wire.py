"""Requests as plain HTTP/1.1, so that nothing is put right on the way."""

import http.client
import socket
from urllib.parse import urlsplit

from tests.stack.stack import Stack


def ask(site: Stack, path: str, **headers: str) -> tuple[int, list[tuple[str, str]], bytes]:
    parts = urlsplit(site.url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": f"localhost:{parts.port}", **headers})
        answer = connection.getresponse()
        return answer.status, [(name.lower(), value) for name, value in answer.getheaders()], answer.read()
    finally:
        connection.close()


def raw(site: Stack, data: bytes, seconds: float = 10) -> bytes:
    """All that comes back for these bytes, until the connection is closed or nothing more comes."""
    parts = urlsplit(site.url)
    with socket.create_connection(("127.0.0.1", parts.port or 80), timeout=seconds) as connection:
        connection.sendall(data)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except (TimeoutError, ConnectionResetError):
            pass  # what was refused is not waited for
        return answer

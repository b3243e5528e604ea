"""Through Nginx, by the file that is shipped: what is refused before the app hears of it."""

import contextlib
import json
import re
import socket
import time
from typing import Any
from uuid import uuid4

import pytest

from tests.http.smuggling import SMUGGLING
from tests.stack.stack import Stack
from tests.stack.wire import ask, raw

POST = b"POST /api/v1/%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
GET = b"GET /api/v1/%s HTTP/1.1\r\nHost: localhost\r\n\r\n"
# Nginx takes a bare line feed for the end of a line, as it may (RFC 9112), and passes on its own clean request.
TAKEN = {"bare line feeds"}
HALF_OPEN = 50


def seen(site: Stack, name: str, mark: str) -> dict[str, str]:
    """Request ids and paths of the requests with this mark, in the app's log or in Nginx's."""
    if name == "app":
        lines: list[dict[str, Any]] = site.log_lines("access.log")
    else:
        log = (site.nginx_folder / "teahouse.access.log").read_text()
        lines = [json.loads(line) for line in log.splitlines()]
    return {line["request_id"]: line["path"] for line in lines if mark in str(line.get("path"))}


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"(?:^|\n|})HTTP/1\.1 (\d{3}) ", answer)]


def log_of_app(site: Stack, path: str) -> None:
    """Until the app has written that it was asked for this."""
    deadline = time.monotonic() + 5
    while not seen(site, "app", path):
        assert time.monotonic() < deadline, path
        time.sleep(0.05)


@pytest.mark.parametrize("name", SMUGGLING)
def test_A46_nothing_is_smuggled_through(site: Stack, name: str) -> None:
    mark = uuid4().hex[:12]
    hidden = GET % b"hidden-%s" % mark.encode()
    answered = statuses(raw(site, POST % b"asked-%s" % mark.encode() + SMUGGLING[name] + hidden, 2))
    for number in range(4):  # whoever comes next, on the connections that Nginx keeps to the app
        status, headers, body = ask(site, f"/api/v1/after-{mark}-{number}")
        assert status == 404 and dict(headers)["x-request-id"] == json.loads(body)["request_id"]
        log_of_app(site, f"after-{mark}-{number}")
    inside, outside = seen(site, "app", mark), seen(site, "nginx", mark)
    assert inside.items() <= outside.items(), "the app saw a request that Nginx did not pass on"
    hidden_inside = [path for path in inside.values() if "hidden" in path]
    if name in TAKEN:
        assert len(answered) == 2 and len(hidden_inside) == 1
    else:
        assert answered and answered[0] in (400, 501), answered
        assert hidden_inside == []


@pytest.mark.parametrize(
    "chunks",
    [b'2;x="y"\r\n{}\r\n0\r\n\r\n', b"2\r\n{}\r\n0\r\nX-Trailer: evil\r\n\r\n"],
    ids=["chunk extension", "trailer"],
)
def test_A46_after_a_chunked_body_the_next_request_is_unharmed(site: Stack, chunks: bytes) -> None:
    mark = uuid4().hex[:12].encode()
    body = b"Transfer-Encoding: chunked\r\n\r\n" + chunks
    answer = raw(site, POST % b"auth/logout" + body + GET % b"next-%s" % mark, 2)
    assert len(statuses(answer)) == 2 and statuses(answer)[1] == 404
    log_of_app(site, f"next-{mark.decode()}")


def test_A47_an_upgrade_goes_no_further(site: Stack) -> None:
    answer = raw(
        site, b"GET /register HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n"
    )
    assert statuses(answer) == [200]


def test_A48_no_path_leads_out_of_the_folder(site: Stack) -> None:
    for path in (
        "/static/../.env",
        "/static/%2e%2e/.env",
        "/static..%2f.env",
        "/app/..%2f..%2f.env",
        "/app/%2e%2e/%2e%2e/.env",
    ):
        answer = raw(site, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert statuses(answer) and b"TEAHOUSE_" not in answer


def test_A52_a_gigabyte_is_refused_before_it_is_sent(site: Stack) -> None:
    head = POST % b"conversations" + b"Content-Length: 1073741824\r\n\r\n"
    answer = raw(site, head, 2)
    assert statuses(answer) == [413] and b"urn:teahouse:too_large" in answer
    page = raw(site, head.replace(b"/api/v1/conversations", b"/register"), 2)
    assert statuses(page) == [413] and "请求太大。".encode() in page


def test_A55_too_long_an_address_and_too_many_headers_do_not_reach_the_app(site: Stack) -> None:
    mark = uuid4().hex[:12].encode()
    assert statuses(raw(site, b"GET /%s" % mark + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")) == [414]
    many = b"".join(b"X-%d: %s\r\n" % (n, b"b" * 7000) for n in range(10))
    answer = raw(site, b"GET /%s HTTP/1.1\r\nHost: localhost\r\n" % mark + many + b"\r\n")
    assert statuses(answer)[0] in (400, 431)
    assert not seen(site, "app", mark.decode())


def test_A59_who_sends_slowly_is_sent_away_and_holds_nobody_up(site: Stack) -> None:
    mark = uuid4().hex[:12].encode()
    slow = [socket.create_connection(("127.0.0.1", site.port), timeout=25) for _ in range(HALF_OPEN)]
    try:
        for number, connection in enumerate(slow):
            half = b"GET /login HTTP/1.1\r\nHost: loc" if number % 2 else POST % mark + b"Content-Length: 9\r\n\r\n{"
            connection.sendall(half)
        for _ in range(20):
            assert ask(site, "/register")[0] == 200
        for connection in slow:
            _is_sent_away(connection)
    finally:
        for connection in slow:
            connection.close()
    assert not seen(site, "app", mark.decode())


def _is_sent_away(connection: socket.socket) -> None:
    """By Nginx's own clock: 10 s for the headers, 15 s for a body that stops."""
    with contextlib.suppress(ConnectionResetError):  # `reset_timedout_connection`: as good an end
        answer = connection.recv(65536)
        assert not answer or statuses(answer) == [408]

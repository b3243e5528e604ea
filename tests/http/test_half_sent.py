"""Requests that are never sent to their end hold neither connections nor memory for long, without Nginx, too. (A59)"""

import contextlib
import select
import socket
import time
from contextlib import ExitStack

import pytest

from app.cli import protocol
from app.http import request_body
from tests.http.edge_app import Server, request

JSON = "Content-Type: application/json"


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEADER_SECONDS", 0.2)


@pytest.mark.parametrize(
    "sent", [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"\r\n" * 3]
)
def test_A59_who_sends_no_headers_is_hung_up_on(server: Server, soon: None, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(sent)
        assert connection.recv(1000) == b""


def test_A59_one_letter_at_a_time_wins_no_time(server: Server, soon: None) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        connection.settimeout(0.02)
        for _ in range(500):
            connection.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                assert connection.recv(1000) == b""
                return
        pytest.fail("it was listened to all the while")


def test_a_connection_that_is_kept_waits_for_its_next_request_as_before(server: Server, soon: None) -> None:
    whole = request("GET", "/healthz")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        for pause in (0.0, 0.5):
            time.sleep(pause)
            connection.sendall(whole)
            assert b"200 OK" in connection.recv(4000)
        time.sleep(0.1)
        connection.sendall(whole[:10])
        assert connection.recv(1000) == b"", "the deadline is for each request"


def test_A52_half_sent_bodies_of_one_address_are_bounded(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "MAX_OF_ADDRESS", 300_000)
    half = request("POST", "/api/v1/echo", JSON, "Content-Length: 150000") + b'{"content": "' + b"x" * 100_000
    whole = b'{"content": "' + b"x" * 250_000 + b'"}'
    with ExitStack() as held:
        answers = []
        for _ in range(8):
            connection = held.enter_context(socket.create_connection(("127.0.0.1", server.port), 10))
            connection.sendall(half)
            if select.select([connection], [], [], 0.5)[0]:
                answers.append(connection.recv(1000)[:13])
        assert len(answers) >= 5 and set(answers) == {b"HTTP/1.1 429 "}
        assert server.post_json(whole).status == 429, "the other bodies are still held"
    deadline = time.monotonic() + 10
    while server.post_json(whole).status != 200:  # what went away makes room
        assert time.monotonic() < deadline

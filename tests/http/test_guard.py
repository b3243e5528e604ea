"""A44, A46, A47, A55: which request is answered at all."""

import json
from typing import Any

import pytest

from app.http.guard import EdgeError, Guard
from tests.http.edge_app import Server, request
from tests.http.smuggling import SMUGGLING
from tests.providers.asking import settings_for

OK = "/api/v1/things/one"


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000", "[::1]", "tea.example", "Tea.Example:443"],
)
def test_A44_the_names_of_this_server_are_answered(server: Server, host: str) -> None:
    assert server.ask(request("GET", OK, host=f"Host: {host}")).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil",
        "evil.example:8000",
        "localhost.evil",
        "localhost:8000:80",
        "localhost/x",
        "localhost@evil",
        "evil@localhost",
        "localhost, evil",
        "x/public?",
        "",
        "localhost:",
        "[::1",
        "::1",
        "127.0.0.1.",
        "localhost\xe9",
    ],
)
def test_A44_a_host_that_is_not_ours_is_refused(server: Server, host: str) -> None:
    answer = server.ask(request("GET", OK, host=f"Host: {host}"))
    assert (answer.status, answer.closed) == (400, True)
    assert json.loads(answer.body)["type"] == "urn:teahouse:bad_host"


def test_A44_a_request_with_two_hosts_is_refused(server: Server) -> None:
    assert server.ask(request("GET", OK, "Host: localhost")).status == 400
    assert server.ask(request("GET", OK, "Host: evil")).status == 400
    assert server.ask(request("GET", OK, "Host: evil", "X-Forwarded-Host: localhost")).status == 400


def test_A44_a_request_without_a_host_is_refused(server: Server) -> None:
    assert server.ask(request("GET", OK, host=None)).status == 400
    assert server.ask(b"GET /api/v1/things/one HTTP/1.0\r\n\r\n").status == 400


def test_A44_what_names_another_host_elsewhere_changes_nothing(server: Server) -> None:
    answer = server.get(OK, "X-Forwarded-Host: evil", "Forwarded: host=evil")
    assert answer.status == 200
    assert b"evil" not in answer.body
    assert server.ask(request("GET", "http://evil/api/v1/nothing")).status == 404
    assert server.ask(request("GET", "@evil/api/v1/things/one")).status in (400, 404)


def test_A44_a_wrong_slash_is_not_redirected_to_an_address_made_from_the_request(server: Server) -> None:
    answer = server.get("/api/v1/boom/")
    assert (answer.status, answer.headers.get("location")) == (404, None)


@pytest.mark.parametrize("rest", SMUGGLING.values(), ids=SMUGGLING.keys())
def test_A46_an_ambiguous_request_is_refused_and_the_connection_ends(server: Server, rest: bytes) -> None:
    server.app.state.seen.clear()
    head = b"POST /api/v1/echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with server.connect() as connection:
        connection.send(head + rest + request("GET", OK))
        assert connection.answer().status in (400, 422)
        assert connection.is_closed()
    assert server.app.state.seen == []


@pytest.mark.parametrize(
    "chunks",
    [
        b'5;x=y\r\n{"con\r\n0d\r\ntent":"hello"}\r\n0\r\n\r\n',
        b'12\r\n{"content":"hello"}\r\n0\r\nX-Trailer: evil\r\n\r\n',
    ],
    ids=["chunk extension", "trailer"],
)
def test_A46_after_a_chunked_body_the_next_request_is_unharmed(server: Server, chunks: bytes) -> None:
    body = b'{"content":"hello"}'
    if chunks.startswith(b"12"):
        chunks = chunks.replace(b"12", f"{len(body):x}".encode(), 1)
    else:
        chunks = b"5;x=y\r\n" + body[:5] + f"\r\n{len(body) - 5:x}\r\n".encode() + body[5:] + b"\r\n0\r\n\r\n"
    with server.connect() as connection:
        connection.send(
            request("POST", "/api/v1/echo", "Content-Type: application/json", "Transfer-Encoding: chunked")
            + chunks
            + request("GET", OK)
        )
        assert connection.answer().status == 200
        assert connection.answer().status == 200


@pytest.mark.parametrize("method", ["TRACE", "CONNECT"])
def test_A47_nothing_is_traced_or_tunnelled(server: Server, method: str) -> None:
    target = "localhost:80" if method == "CONNECT" else OK
    assert server.ask(request(method, target)).status in (400, 405)


@pytest.mark.parametrize(
    "headers",
    [
        (
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: " + "A" * 22 + "==",
        ),
        ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"),
    ],
    ids=["websocket", "h2c"],
)
def test_A47_an_upgrade_is_not_taken(server: Server, headers: tuple[str, ...]) -> None:
    assert server.get(OK, *headers).status in (200, 400, 426)


def test_A48_a_nul_in_the_path_is_a_thing_that_does_not_exist(server: Server) -> None:
    assert server.get("/api/v1/things/%00").status == 404


@pytest.mark.parametrize(
    ("headers", "path", "status"),
    [
        (["X-Big: " + "x" * 17_000], OK, 431),
        ([f"X-{n}: {n}" for n in range(101)], OK, 431),
        (["Cookie: " + "; ".join(f"c{n}=\x01bad" for n in range(3000))], OK, 400),
        (["Cookie: " + "; ".join(f"c{n}=,;=bad" for n in range(3000))], OK, 431),
        ([], "/api/v1/things/" + "x" * 9_000, 414),
        ([], OK + "?" + "&".join(f"k{n}=1" for n in range(1000)), 422),
    ],
    ids=["one large", "many", "control characters", "thousands of bad cookies", "long address", "thousand parameters"],
)
def test_A55_too_much_before_the_body_is_refused(server: Server, headers: list[str], path: str, status: int) -> None:
    assert server.get(path, *headers).status == status


def test_A55_what_is_just_allowed_is_answered(server: Server) -> None:
    assert server.get("/api/v1/things/" + "x" * 8_000, "X-Big: " + "x" * 15_000).status == 200
    assert server.get(OK, *[f"X-{n}: {n}" for n in range(98)]).status == 200


def test_only_a_trusted_proxy_says_who_calls(server: Server) -> None:
    body = b'{"content":"x"}'
    answer = server.post_json(body, "/api/v1/echo", "X-Forwarded-For: 10.9.9.9, 203.0.113.7")
    assert json.loads(answer.body)["client"] == "203.0.113.7"
    answer = server.post_json(body, "/api/v1/echo", "X-Forwarded-For: junk")
    assert json.loads(answer.body)["client"] == "127.0.0.1"


def test_A42_head_is_get_without_a_body(server: Server) -> None:
    full = server.get(OK)
    with server.connect() as connection:
        connection.send(request("HEAD", OK) + request("GET", OK))
        head = connection.socket.recv(65536).split(b"\r\n\r\n", 1)
        while len(head) < 2 or not head[1].endswith(full.body):
            head = (b"\r\n\r\n".join(head) + connection.socket.recv(65536)).split(b"\r\n\r\n", 1)
    assert head[0].startswith(b"HTTP/1.1 200") and f"content-length: {len(full.body)}".encode() in head[0].lower()
    assert head[1].startswith(b"HTTP/1.1 200"), "a body came before the next answer"


def _refusal(asked: bytes | None, path: str = "/", **settings: Any) -> str:
    """The code with which a request to the host `asked` is turned away, or nothing."""
    headers = [] if asked is None else [(b"host", asked)]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}
    try:
        Guard(settings_for(**settings)).check(scope)
    except EdgeError as error:
        return error.code
    return ""


@pytest.mark.parametrize("listens", ["0.0.0.0", "::", "192.168.1.20"])
@pytest.mark.parametrize("host", [b"192.168.1.20:8000", b"10.0.0.7", b"[fd00::5]:8000"])
def test_A44_on_a_network_an_address_is_its_own_name(listens: str, host: bytes) -> None:
    assert _refusal(host, host=listens) == ""
    assert _refusal(b"evil.example:8000", host=listens) == "bad_host"
    assert _refusal(b"192.168.1.20.evil.example", host=listens) == "bad_host"


@pytest.mark.parametrize("listens", ["127.0.0.1", "localhost", "::1"])
def test_A44_on_this_machine_alone_it_is_not(listens: str) -> None:
    assert _refusal(b"192.168.1.20:8000", host=listens) == "bad_host"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("host", [b"10.1.2.3:8000", b"whatever.internal", b"", None])
def test_who_looks_after_this_server_reaches_it_by_any_name(host: bytes | None, path: str) -> None:
    assert _refusal(host, path) == ""
    assert _refusal(host, "/") == "bad_host"


@pytest.mark.parametrize(
    "spelled", ["tea.example", "TEA.example:8443", "https://tea.example", "https://tea.example:8443/chat", "*"]
)
def test_allowed_hosts_are_understood_however_they_are_spelled(spelled: str) -> None:
    assert _refusal(b"tea.example", allowed_hosts=[spelled]) == ""
    assert _refusal(b"tea.example:8443", allowed_hosts=[spelled]) == ""
    assert (_refusal(b"evil.example", allowed_hosts=[spelled]) == "") is (spelled == "*")
    assert _refusal(b"evil.example/x", allowed_hosts=[spelled]) == "bad_host"

"""Through Nginx, by the file that is shipped: what comes from disk, what is passed on, what is refused."""

import gzip
import http.client
import re
import socket
import time
from collections import Counter
from urllib.parse import urlsplit

import pytest

from tests.stack.stack import Stack
from tests.stack.visitor import visitors

SECURITY = ("content-security-policy", "x-content-type-options", "referrer-policy", "cross-origin-opener-policy")


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


def static_paths(site: Stack) -> list[str]:
    status, _, body = ask(site, "/register")
    assert status == 200
    return re.findall(r'(?:href|src)="(/static/[^"]+)"', body.decode())


def test_static_files_come_from_disk_compressed_and_for_a_year(site: Stack) -> None:
    paths = static_paths(site)
    assert len(paths) >= 3
    for path in paths:
        plain = ask(site, path)
        status, headers, body = ask(site, path, **{"Accept-Encoding": "gzip"})
        found = dict(headers)
        assert status == 200 and found["cache-control"] == "public, max-age=31536000, immutable"
        if found.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        assert body == plain[2]
        # The app would name its own request; Nginx says its id itself and nobody else was asked.
        assert (site.root / "public" / "versions" / path.split("v=")[1]).is_dir()
    assert not [line for line in site.log_lines("access.log") if "/static/" in str(line.get("path", ""))]


@pytest.mark.parametrize(
    "path", ["/register", "/healthz", "/api/v1/openapi.json", "/app/", "/nothing", "/static/nothing.js"]
)
def test_F36_every_answer_has_each_header_once(site: Stack, path: str) -> None:
    _, headers, _ = ask(site, path)
    counted = Counter(name for name, _ in headers)
    for name in (*SECURITY, "cache-control", "x-request-id"):
        assert counted[name] == 1, (name, headers)
    assert dict(headers)["server"] == "nginx"


def test_a_version_that_is_gone_is_never_another_one(site: Stack) -> None:
    path = static_paths(site)[0]
    status, headers, _ = ask(site, re.sub(r"v=.*", "v=000000000000", path))
    assert status == 200 and dict(headers)["cache-control"] == "no-cache"  # the app's word, for this time only


def test_the_request_id_is_one_from_nginx_to_the_log(site: Stack) -> None:
    _, headers, _ = ask(site, "/api/v1/auth/me")
    number = dict(headers)["x-request-id"]
    deadline = time.monotonic() + 5
    while not any(line.get("request_id") == number for line in site.log_lines("access.log")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    front = (site.nginx_folder / "teahouse.access.log").read_text()
    assert number in front


def test_a_forged_address_is_worth_nothing(site: Stack) -> None:
    _, headers, _ = ask(site, "/api/v1/auth/me", **{"X-Forwarded-For": "203.0.113.9", "X-Request-ID": "forged-forged"})
    assert dict(headers)["x-request-id"] != "forged-forged"
    assert "203.0.113.9" not in (site.nginx_folder / "teahouse.access.log").read_text()


def test_A52_a_gigabyte_is_refused_before_it_is_sent(site: Stack) -> None:
    head = b"POST /api/v1/conversations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1073741824\r\n\r\n"
    answer = raw(site, head, 2)
    assert answer.startswith(b"HTTP/1.1 413") and b"urn:teahouse:too_large" in answer
    page = raw(site, head.replace(b"/api/v1/conversations", b"/register"), 2)
    assert (page.startswith(b"HTTP/1.1 413") and "请求内容过大".encode() in page) or b"Too large" in page


@pytest.mark.parametrize(
    "extra",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 4\r\nContent-Length: 5\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"X: a\r\n folded\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n",
    ],
)
def test_A46_nothing_is_smuggled_through(site: Stack, extra: bytes) -> None:
    hidden = b"GET /api/v1/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    raw(site, b"POST /api/v1/conversations HTTP/1.1\r\nHost: localhost\r\n" + extra + b"\r\n0\r\n\r\n" + hidden, 3)
    time.sleep(0.2)
    inside = [line for line in site.log_lines("access.log") if "smuggled" in str(line)]
    outside = (site.nginx_folder / "teahouse.access.log").read_text().count("/api/v1/smuggled")
    assert len(inside) <= outside, "the app saw a request that Nginx did not"


def test_A55_too_long_an_address_and_too_many_headers_do_not_reach_the_app(site: Stack) -> None:
    assert b" 414 " in raw(site, b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")[:20]
    many = b"".join(b"X-%d: %s\r\n" % (n, b"b" * 7000) for n in range(10))
    assert raw(site, b"GET /login HTTP/1.1\r\nHost: localhost\r\n" + many + b"\r\n")[:13] in (
        b"HTTP/1.1 400 ",
        b"HTTP/1.1 431 ",
    )


def test_A47_an_upgrade_goes_no_further(site: Stack) -> None:
    answer = raw(
        site, b"GET /login HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n"
    )
    assert b" 101 " not in answer[:20]


def test_A48_no_path_leads_out_of_the_folder(site: Stack) -> None:
    for path in (
        "/static/../.env",
        "/static/%2e%2e/.env",
        "/static..%2f.env",
        "/app/..%2f..%2f.env",
        "/app/%2e%2e/%2e%2e/.env",
    ):
        answer = raw(site, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert b"TEAHOUSE_" not in answer


async def test_F36_an_answer_is_not_held_back(site: Stack, tokens: list[str]) -> None:
    """Each word arrives by itself: a proxy that buffers would bring them together at the end."""
    async with visitors(site.url, tokens[:1]) as (alice,):
        first = await alice.begin("Tell me of tea [[tokens=12 rate=6 first=50]]")
        assert first is not None
        seen = await alice.watch(first[0])
        assert seen.done is not None and seen.done["job"]["status"] == "succeeded"
        assert alice.longest_silence < 1.5, "a third of a second lies between two words, two seconds between all"
        second = await alice.begin("Tell me of tea [[tokens=12 rate=6 first=50]]")
        assert second is not None and (await alice.poll(second[0])).done is not None
        assert alice.failed == []


def test_A37_a_flood_of_sign_ins_is_held_up_in_front(site: Stack) -> None:
    """Last in this file: it costs the address its places for a while."""
    body = "username=nobody&password=wrong-password"
    form = {"Host": "localhost", "Content-Type": "application/x-www-form-urlencoded"}
    statuses = Counter[int]()
    for _ in range(60):
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
        connection.request("POST", "/api/v1/auth/login", body, form)
        answer = connection.getresponse()
        statuses[answer.status] += 1
        if answer.status == 429:
            assert answer.getheader("retry-after")
            assert str(answer.getheader("content-type")).startswith("application/problem+json")
        connection.close()
    assert statuses[429] > 20

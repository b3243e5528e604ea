"""A52, A53, A54: bodies that are too much, or not what they say."""

import json
import time

import pytest

from tests.http.edge_app import Server, request

MIB = 1024 * 1024
JSON = "Content-Type: application/json"


def test_A52_a_declared_gigabyte_is_refused_before_it_is_read(server: Server) -> None:
    with server.connect() as connection:
        connection.send(request("POST", "/api/v1/echo", JSON, "Content-Length: 1000000000"))
        assert connection.answer().status == 413
        assert connection.is_closed()


def test_A52_an_undeclared_body_is_counted_as_it_arrives(server: Server) -> None:
    with server.connect() as connection:
        connection.send(request("POST", "/api/v1/echo", JSON, "Transfer-Encoding: chunked"))
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        sent = 0
        try:
            for _ in range(1000):
                connection.send(chunk)
                sent += 65536
        except ConnectionError:
            pass
        assert sent < 16 * MIB  # what lies in socket buffers was never read
        assert connection.answer().status == 413
        assert connection.is_closed()


def test_A52_forms_and_pages_have_the_same_limit(server: Server) -> None:
    body = b"a=" + b"x" * MIB
    answer = server.ask(request("POST", "/form", "Content-Type: application/x-www-form-urlencoded", body=body))
    assert (answer.status, answer.closed) == (413, True)
    assert answer.headers["content-type"].startswith("text/html")


def test_A52_a_route_that_takes_more_is_counted_while_it_reads(server: Server) -> None:
    assert server.ask(request("POST", "/upload", body=b"x" * (2 * MIB))).status == 200
    with server.connect() as connection:
        connection.send(request("POST", "/upload", "Transfer-Encoding: chunked"))
        connection.send((b"10000\r\n" + b"x" * 65536 + b"\r\n") * 49)
        assert connection.answer().status == 413
        assert connection.is_closed()


def test_A52_a_compressed_body_is_not_read(server: Server) -> None:
    assert server.post_json(b"\x1f\x8b", "/api/v1/echo", "Content-Encoding: gzip").status == 415


def test_A52_an_expected_100_is_not_given_for_what_will_not_be_read(server: Server) -> None:
    with server.connect() as connection:
        connection.send(request("POST", "/api/v1/echo", JSON, "Expect: 100-continue", "Content-Length: 2000000"))
        assert connection.answer().status == 413


BAD_JSON = {
    "depth": (b'{"content":"x","deep":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
    "depth 65": (b'{"content":"x","deep":' + b"[" * 64 + b"]" * 64 + b"}", 400),
    "a million keys": (b'{"content":"x","deep":{' + b",".join(b'"%d":0' % n for n in range(90_000)) + b"}}", 400),
    "a million numbers": (b'{"content":"x","deep":[' + b"1," * 500_000 + b"1]}", 400),
    "5,000 digits": (b'{"content":"x","number":' + b"9" * 5000 + b"}", 400),
    "64 bits": (b'{"content":"x","number":9223372036854775808}', 400),
    "duplicate keys": (b'{"content":"x","content":"y"}', 400),
    "duplicate keys, one escaped": (b'{"content":"x","\\u0063ontent":"y"}', 400),
    "duplicate keys below": (b'{"content":"x","deep":{"a" :1,"a": 2}}', 400),
    "NaN": (b'{"content":NaN}', 400),
    "Infinity": (b'{"content":"x","number":-Infinity}', 400),
    "1e999": (b'{"content":"x","number":1e999}', 400),
    "UTF-16": ('{"content":"x"}'.encode("utf-16"), 400),
    "BOM": (b'\xef\xbb\xbf{"content":"x"}', 400),
    "invalid UTF-8": (b'{"content":"\xff"}', 400),
    "encoded surrogate": (b'{"content":"\xed\xa0\x80"}', 400),
    "lone surrogate": (b'{"content":"\\ud800"}', 422),
    "swapped surrogates": (b'{"content":"\\udc00\\ud800"}', 422),
    "NUL": (b'{"content":"a\\u0000b"}', 422),
    "NUL in a key": (b'{"content":"x","a\\u0000":1}', 422),
    "null": (b"null", 422),
    "array": (b"[]", 422),
    "text": (b'"content"', 422),
    "cut": (b'{"content":"x"', 400),
    "nothing but space": (b"  ", 400),
    "unknown field": (b'{"content":"x","extra":1}', 422),
    "text for a number": (b'{"content":"x","number":"1"}', 422),
    "true for a number": (b'{"content":"x","number":true}', 422),
}


@pytest.mark.parametrize(("body", "status"), BAD_JSON.values(), ids=BAD_JSON.keys())
def test_A53_bad_json_is_refused_at_once(server: Server, body: bytes, status: int) -> None:
    server.app.state.seen.clear()
    started = time.process_time()
    answer = server.post_json(body)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.body) < 4000
    assert time.process_time() - started < 0.5  # 50 ms of work; the rest is for a slow machine
    assert server.app.state.seen == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"content":"a\\": b\\": c"}',
        b'{"content":"\\\\u0000 \\ud83d\\ude00 \xf0\x9f\x98\x80"}',
        b'{"content":"x","deep":' + b"[" * 63 + b"]" * 63 + b"}",
        b'{"content":"x","number":9223372036854775807}',
        b'{"content":"' + b"x" * 1_000_000 + b'"}',
    ],
    ids=["quotes and colons in text", "an escaped escape", "depth 64", "63 bits", "a megabyte"],
)
def test_A53_strange_but_sound_json_is_taken(server: Server, body: bytes) -> None:
    assert server.post_json(body).status == 200


def test_A53_a_missing_body_is_a_missing_body(server: Server) -> None:
    answer = server.ask(request("POST", "/api/v1/echo", JSON))
    assert answer.status == 422
    assert json.loads(answer.body)["errors"][0]["code"] == "missing"


def test_A53_a_refusal_never_repeats_what_was_sent(server: Server) -> None:
    answer = server.post_json(b'{"content":["hunter2-hunter2"],"number":"hunter2-hunter2"}')
    assert answer.status == 422
    assert b"hunter2" not in answer.body
    assert [error["pointer"] for error in json.loads(answer.body)["errors"]] == ["/content", "/number"]


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "text/json"],
)
def test_A21_another_type_than_json_is_refused_under_api(server: Server, content_type: str) -> None:
    headers = [f"Content-Type: {content_type}"] if content_type else []
    answer = server.ask(request("POST", "/api/v1/echo", *headers, body=b'{"content":"x"}'))
    assert (answer.status, json.loads(answer.body)["type"]) == (415, "urn:teahouse:unsupported_media_type")


def test_signing_in_is_a_form_and_nothing_else(server: Server) -> None:
    form = request(
        "POST", "/api/v1/auth/login", "Content-Type: application/x-www-form-urlencoded", body=b"username=a&password=b"
    )
    assert server.ask(form).status == 200
    assert server.post_json(b'{"username":"a","password":"b"}', "/api/v1/auth/login").status == 415


MULTIPART = "Content-Type: multipart/form-data; boundary=x"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("Content-Type: multipart/form-data", b"x"),
        ("Content-Type: multipart/form-data; boundary=" + "x" * 5000, b"x"),
        (MULTIPART, b"\r\n" * 500_000 + b"--x--"),
        (MULTIPART, b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 10_000 + b"--x--"),
        (MULTIPART, b"--x\r\nX-Big: " + b"y" * 1_000_000 + b"\r\n\r\n1\r\n--x--"),
        ("Content-Type: application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(10_000))),
    ],
    ids=[
        "no boundary",
        "long boundary",
        "a megabyte of line ends",
        "10,000 parts",
        "a megabyte of header",
        "10,000 fields",
    ],
)
def test_A54_a_hostile_form_is_refused_at_once(server: Server, content_type: str, body: bytes) -> None:
    started = time.process_time()
    answer = server.ask(request("POST", "/form", content_type, body=body))
    assert answer.status in (200, 400, 413, 422)
    assert time.process_time() - started < 1

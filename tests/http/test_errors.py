"""Every failure is a problem, tells no secret, and carries the headers it needs."""

import json
import logging

import pytest
from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, Response

from app.errors import ErrorKind
from app.http.security_headers import HEADERS
from tests.http.conftest import settings_for
from tests.http.edge_app import Server, make_app, request, serve

KINDS = {
    ErrorKind.not_found: 404,
    ErrorKind.unauthenticated: 401,
    ErrorKind.forbidden: 403,
    ErrorKind.invalid: 422,
    ErrorKind.conflict: 409,
    ErrorKind.too_large: 413,
    ErrorKind.rate_limited: 429,
    ErrorKind.unavailable: 503,
}


@pytest.mark.parametrize(("kind", "status"), KINDS.items())
def test_each_kind_has_its_status(server: Server, kind: ErrorKind, status: int) -> None:
    answer = server.get(f"/api/v1/fail/{kind}")
    problem = json.loads(answer.body)
    assert answer.status == problem["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "7"
    assert problem["type"] == "urn:teahouse:some_code"
    assert problem["detail"] == "Some detail."
    assert problem["instance"] == f"urn:request:{answer.headers['x-request-id']}"
    assert problem["request_id"] == answer.headers["x-request-id"]


def test_who_is_not_signed_in_is_told_how(server: Server) -> None:
    assert server.get("/api/v1/fail/unauthenticated").headers["www-authenticate"] == "Bearer"


def test_a_missing_route_and_a_missing_thing_differ_in_nothing_but_the_request(server: Server) -> None:
    def without_id(path: str) -> dict[str, object]:
        problem: dict[str, object] = json.loads(server.get(path).body)
        return problem | {"instance": "", "request_id": ""}

    assert without_id("/api/v1/nothing") == without_id("/api/v1/nothing/at/all") == without_id("/api")


def test_a_wrong_method_says_which_is_right(server: Server) -> None:
    answer = server.ask(request("DELETE", "/api/v1/echo", "X: y"))
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_A65_an_unexpected_error_is_told_to_the_log_alone(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = server.get("/api/v1/boom")
    assert answer.status == 500
    assert b"reason" not in answer.body
    assert "the reason, for the log alone" in caplog.text
    assert [record.exc_info is not None for record in caplog.records] == [True]
    assert server.get("/api/v1/things/one").status == 200


def test_unknown_parameters_are_refused(server: Server) -> None:
    assert server.get("/api/v1/things/one?limit=5").status == 200
    answer = server.get("/api/v1/things/one?limit=5&offset=3&%6cimit=1")
    problem = json.loads(answer.body)
    assert (answer.status, problem["type"]) == (422, "urn:teahouse:unknown_parameter")
    assert [error["pointer"] for error in problem["errors"]] == ["offset"]
    assert server.get("/api/v1/things/one?limit=" + "9" * 30).status == 422
    assert server.get("/api/v1/things/one?limit=%00").status == 422


@pytest.mark.parametrize(
    "path",
    [
        "/healthz",
        "/api/v1/things/one",
        "/api/v1/boom",
        "/api/v1/nothing",
        "/nothing",
        "/static/nothing",
        "/static/css/app.css",
    ],
)
def test_A49_every_answer_carries_the_security_headers(server: Server, path: str) -> None:
    headers = server.get(path).headers
    for name, value in HEADERS.items():
        if name != "cache-control" or not path.endswith(".css"):
            assert headers[name] == value, name
    assert "access-control-allow-origin" not in headers
    assert "strict-transport-security" not in headers


def test_A50_the_policy_allows_nothing_inline() -> None:
    policy = HEADERS["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;")
    assert "unsafe" not in policy
    assert policy.endswith("base-uri 'none'; frame-ancestors 'none'")


def test_A49_a_refused_request_carries_them_too(server: Server) -> None:
    headers = server.ask(request("GET", "/", host="Host: evil")).headers
    assert HEADERS.items() <= headers.items()


def test_behind_https_browsers_are_told_to_stay_there(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = settings_for(tmp_path_factory.mktemp("https"), public_url="https://tea.example")
    with serve(make_app(settings)) as server:
        answer = server.ask(request("GET", "/healthz", host="Host: tea.example"))
        assert answer.headers["strict-transport-security"].startswith("max-age=31536000")


def test_a_request_id_is_taken_only_when_it_is_well_formed(server: Server) -> None:
    good = "0198c0de-0000-7000-8000-000000000000"
    assert server.get("/healthz", f"X-Request-ID: {good}").headers["x-request-id"] == good
    for bad in ("short", "x" * 65, "with space 123", "<script>alert(1)</script>"):
        assert server.get("/healthz", f"X-Request-ID: {bad}").headers["x-request-id"] != bad


def test_a_stranger_chooses_no_request_id(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = settings_for(tmp_path_factory.mktemp("stranger"), trusted_proxies=["192.0.2.1"])
    with serve(make_app(settings)) as server:
        answer = server.get("/healthz", "X-Request-ID: chosen-by-a-stranger")
        assert answer.headers["x-request-id"] != "chosen-by-a-stranger"


def test_a_page_gets_its_error_as_html(server: Server) -> None:
    answer = server.get("/nothing")
    assert (answer.status, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert answer.headers["x-request-id"].encode() in answer.body


def test_the_pages_may_draw_errors_themselves(tmp_path_factory: pytest.TempPathFactory) -> None:
    app: FastAPI = make_app(settings_for(tmp_path_factory.mktemp("pages")))

    async def draw(request: Request, problem: dict[str, object], status: int) -> Response:
        if request.url.path == "/broken":
            raise RuntimeError("no such template")
        return HTMLResponse(f"drawn {problem['status']}", status)

    app.state.render_problem_page = draw
    with serve(app) as server:
        assert server.get("/nothing").body == b"drawn 404"
        assert server.get("/broken").status == 404
        assert b"Not Found" in server.get("/broken").body
        assert server.get("/api/v1/nothing").headers["content-type"] == "application/problem+json"

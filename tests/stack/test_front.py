"""Through Nginx, by the file that is shipped: what comes from disk, what is passed on, what is held up."""

import asyncio
import gzip
import http.client
import re
import time
from collections import Counter
from pathlib import Path

import pytest

from app.http.security_headers import DIAGRAM_POLICY
from tests.stack.stack import Stack
from tests.stack.visitor import events_of, visitors
from tests.stack.wire import ask

SECURITY = ("content-security-policy", "x-content-type-options", "referrer-policy", "cross-origin-opener-policy")


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


def test_the_application_comes_from_disk_whatever_its_address(site: Stack) -> None:
    assert (site.root / "public" / "app" / "index.html").is_file(), "run `make build` first"
    shells = [ask(site, path) for path in ("/app/", "/app/conversations/7", "/app/login?next=x")]
    assert len({body for _, _, body in shells}) == 1
    assert {(status, dict(headers)["cache-control"]) for status, headers, _ in shells} == {(200, "no-cache")}
    assets = re.findall(r'(?:href|src)="(/app/assets/[^"]+)"', shells[0][2].decode())
    assert assets
    for path in assets:
        status, headers, _ = ask(site, path, **{"Accept-Encoding": "gzip"})
        assert (status, dict(headers)["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert not [line for line in site.log_lines("access.log") if str(line.get("path", "")).startswith("/app/")]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("sw.js", "javascript"),
        ("manifest.webmanifest", "application/manifest+json"),
        ("icons/icon-192.png", "image/png"),
    ],
)
def test_what_makes_the_application_installable_is_looked_at_anew(site: Stack, path: str, kind: str) -> None:
    status, headers, _ = ask(site, f"/app/{path}")
    assert (status, dict(headers)["cache-control"]) == (200, "no-cache")
    assert kind in dict(headers)["content-type"]


def test_the_page_that_draws_diagrams_comes_from_disk_with_its_own_policy(site: Stack) -> None:
    _, shell, _ = ask(site, "/app/")
    for path in ("/static/diagram.html", "/app/diagram.html"):
        status, headers, body = ask(site, path)
        found = dict(headers)
        assert (status, found["cache-control"], found["content-type"]) == (200, "no-cache", "text/html; charset=utf-8")
        assert found["content-security-policy"] == DIAGRAM_POLICY != dict(shell)["content-security-policy"]
    script = re.findall(r'src="(/app/assets/[^"]+)"', body.decode())[0]
    _, headers, _ = ask(site, script)
    assert dict(headers)["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in dict(shell)
    assert not [line for line in site.log_lines("access.log") if "diagram" in str(line.get("path", ""))]


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


async def test_what_is_done_elsewhere_comes_from_whichever_process_it_was(site: Stack, tokens: list[str]) -> None:
    """Followed on one connection, done on many others: each change arrives by itself."""
    async with visitors(site.url, tokens[:1]) as (alice,):
        headers = {"Authorization": f"Bearer {alice.token}"}
        async with alice.http.get(f"{site.url}/api/v1/events", headers=headers) as stream, asyncio.timeout(30):
            assert stream.status == 200
            told = events_of(stream)
            for _ in range(6):
                made = await alice.ask("POST", "/conversations", json={}, headers={"Connection": "close"})
                _, event, data = await anext(told)
                assert (event, data["id"]) == ("conversation", made["id"])
        assert alice.failed == []


async def test_the_built_in_model_answers_under_the_hardening(site: Stack, tokens: list[str]) -> None:
    """llama.cpp, once for all workers, in memory that is either written or executed."""
    async with visitors(site.url, tokens[:1]) as (alice,):
        begun = await alice.begin("Name a tea.", model="embedded/smollm2:135m")
        assert begun is not None
        seen = await alice.watch(begun[0])
        assert seen.done is not None and seen.done["job"]["status"] == "succeeded"
        message = await alice.ask("GET", f"/messages/{begun[1]}")
        assert message["content"] and message["content"] == seen.text
        assert alice.failed == []
    commands = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in site.app.pids()]
    assert sum(b"embedded" in command for command in commands) == 1, commands


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

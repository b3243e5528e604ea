"""Real proxies, as their manuals set them up, TLS at the first: alone, and before the site that we write."""

import asyncio
import os
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.api.serving import Served, serving
from tests.ports import free_port
from tests.stack.certificate import make_certificate
from tests.stack.stack import NGINX, ROOT
from tests.stack.visitor import PASSWORD

pytestmark = pytest.mark.sqlite

# As manuals have it, from the plainest to the most complete; some lose the scheme, the name or the visitor.
FRONTS = {
    "plain": "proxy_buffering off;",
    "host": "proxy_buffering off; proxy_set_header Host $host;",
    "usual": """proxy_buffering off; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;""",
    "1.0": "proxy_buffering off; proxy_http_version 1.0; proxy_set_header X-Forwarded-Host $http_host;",
    "buffers and compresses": """proxy_set_header Host $http_host; gzip on; gzip_proxied any; gzip_min_length 1;
        gzip_types text/event-stream application/json text/html; proxy_read_timeout 2s;""",
}
# The shortest that their manuals give.
CADDY = """
{{
    admin off
    auto_https disable_redirects
    storage file_system {folder}/caddy
}}
https://localhost:{port} {{
    tls {folder}/tls/fullchain.pem {folder}/tls/privkey.pem
    encode gzip
    reverse_proxy 127.0.0.1:{site}
}}
"""
HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 2s
    timeout server 2s
    option forwardfor
frontend https
    bind 127.0.0.1:{port} ssl crt {folder}/both.pem alpn h2,http/1.1
    http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
    compression algo gzip
    compression type text/html application/json
    default_backend teahouse
backend teahouse
    server one 127.0.0.1:{site}
"""
VISITOR = "127.0.0.2"
CONF = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{}}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    include {folder}/teahouse.site;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/tls/fullchain.pem; ssl_certificate_key {folder}/tls/privkey.pem;
        location / {{ proxy_pass http://127.0.0.1:{site}; {headers} }}
    }}
}}
"""


def write_site(folder: Path, served: Served, site: int, behind: list[str]) -> None:
    """By the real command."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TEAHOUSE_")}
    host, _, port = served.url.removeprefix("http://").partition(":")
    named = [option for front in behind for option in ("--behind", front)]
    where = ["--root", str(ROOT), "--logs", str(folder), "--listen", f"127.0.0.1:{site}"]
    command = [sys.executable, "-m", "app.cli.main", "deploy", "nginx", "--domain", "localhost", *where, *named]
    command += ["--output", str(folder / "teahouse.site")]
    environment = {**own, "TEAHOUSE_PORT": port, "TEAHOUSE_HOST": host}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert "Nginx finds nothing wrong" in ran.stdout, ran


@contextmanager
def nginx(folder: Path, site: int, port: int, headers: str) -> Iterator[None]:
    (folder / "nginx.conf").write_text(CONF.format(folder=folder, port=port, site=site, headers=headers))
    with _running(NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"):
        yield


@contextmanager
def caddy(folder: Path, site: int, port: int) -> Iterator[None]:
    (folder / "Caddyfile").write_text(CADDY.format(folder=folder, port=port, site=site))
    with _running("caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")):
        yield


@contextmanager
def haproxy(folder: Path, site: int, port: int) -> Iterator[None]:
    tls = folder / "tls"
    (folder / "both.pem").write_bytes((tls / "fullchain.pem").read_bytes() + (tls / "privkey.pem").read_bytes())
    (folder / "haproxy.cfg").write_text(HAPROXY.format(folder=folder, port=port, site=site))
    with _running("/usr/sbin/haproxy", "-db", "-f", str(folder / "haproxy.cfg")):
        yield


@contextmanager
def _running(*command: str) -> Iterator[None]:
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)


@pytest.mark.parametrize("behind", [[], ["127.0.0.1"]], ids=["as it is", "behind a named front"])
async def test_people_register_sign_in_and_see_an_answer_grow(tmp_path: Path, behind: list[str]) -> None:
    port, site = free_port(), free_port()
    with site_behind(tmp_path, port) as (served, visit):
        write_site(tmp_path, served, site, behind)
        for number, headers in enumerate(FRONTS.values()):
            with nginx(tmp_path, site, port, headers):
                told = await visit(f"person{number}")
            assert told == (VISITOR if behind and "X-Forwarded-For" in headers else "127.0.0.1")


@pytest.mark.parametrize("front", [caddy, haproxy], ids=["Caddy", "HAProxy"])
@pytest.mark.parametrize("hops", [1, 2])
async def test_and_behind_other_programs(
    tmp_path: Path, front: Callable[[Path, int, int], AbstractContextManager[None]], hops: int
) -> None:
    """At one hop the program is all that stands before the app; at two our own site stands between them."""
    port, site = free_port(), free_port()
    with ExitStack() as opened:
        served, visit = opened.enter_context(site_behind(tmp_path, port))
        if hops == 2:
            write_site(tmp_path, served, site, ["127.0.0.1"])
            opened.enter_context(nginx(tmp_path, site, free_port(), FRONTS["plain"]))
        behind = site if hops == 2 else int(served.url.rpartition(":")[2])
        opened.enter_context(front(tmp_path, behind, port))
        assert await visit("alice") == VISITOR


@contextmanager
def site_behind(folder: Path, port: int) -> Iterator[tuple[Served, Callable[[str], Awaitable[str]]]]:
    """An app that people reach by TLS at that port; and a visit of somebody new, who says what address is told."""
    make_certificate(folder / "tls")
    context = ssl.create_default_context(cafile=folder / "tls" / "fullchain.pem")
    url = f"https://localhost:{port}"

    async def visit(name: str) -> str:
        way = httpx.AsyncHTTPTransport(verify=context, local_address=VISITOR)
        async with httpx.AsyncClient(base_url=url, transport=way, timeout=15) as browser:
            await ready(browser)
            await register(browser, name)
            await grow(browser)
            await stream(browser, name)
            return await address_told(browser)

    with serving(folder / "data", public_url=url) as served:
        yield served, visit


async def ready(browser: httpx.AsyncClient) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            if (await browser.get("/healthz")).status_code == 200:
                return
        except httpx.HTTPError:
            assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def register(browser: httpx.AsyncClient, name: str) -> None:
    page = (await browser.get("/register")).text
    fields = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    headers = {"Origin": str(browser.base_url).rstrip("/")}
    answer = await browser.post("/register", data={"csrf_token": token_in(page), **fields}, headers=headers)
    assert answer.status_code == 303, answer.text
    browser.cookies.clear()
    page = (await browser.get("/login")).text
    fields = {"csrf_token": token_in(page), "username": name, "password": PASSWORD}
    assert (await browser.post("/login", data=fields, headers=headers)).status_code == 303


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def grow(browser: httpx.AsyncClient) -> None:
    """An answer comes word by word, not all at once."""
    headers = {"Origin": str(browser.base_url).rstrip("/")}
    page = (await browser.get("/")).text
    fields = {"csrf_token": token_in(page), "content": "Of tea [[tokens=15 rate=10]]"}
    answer = await browser.post("/", data=fields, headers=headers)
    assert answer.status_code == 303, answer.text
    path = answer.headers["location"]
    seen: set[int] = set()
    text = "aria-busy"
    while "aria-busy" in text:
        text = (await browser.get(path)).text
        seen.add(len(text))
        await asyncio.sleep(0.2)
    assert len(seen) > 2


async def stream(browser: httpx.AsyncClient, name: str) -> None:
    """Each event comes when it is written."""
    signed_in = await browser.post("/api/v1/auth/login", data={"username": name, "password": PASSWORD})
    headers = {"Authorization": f"Bearer {signed_in.json()['access_token']}", "Accept-Encoding": "gzip"}
    conversation = (await browser.post("/api/v1/conversations", json={}, headers=headers)).json()["id"]
    message = {"content": "Of tea [[tokens=10 rate=20]]"}
    accepted = await browser.post(f"/api/v1/conversations/{conversation}/messages", json=message, headers=headers)
    events = f"/api/v1/jobs/{accepted.json()['job']['id']}/events"
    async with browser.stream("GET", events, headers=headers) as answer:
        came = [time.monotonic() async for line in answer.aiter_lines() if line == "event: delta"]
    assert len(came) > 5 and came[-1] - came[0] > 0.25


async def address_told(browser: httpx.AsyncClient) -> str:
    """From where the list of devices says that this one signed in."""
    found = re.search(r"\b(?:\d{1,3}\.){3}\d{1,3}\b", (await browser.get("/settings/devices")).text)
    assert found is not None
    return found[0]

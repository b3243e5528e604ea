"""Two proxies in a row, real ones: TLS ends at the first, the second is the site that we write."""

import os
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
    "plain": "",
    "host": "proxy_set_header Host $host;",
    "usual": """proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;""",
    "1.0": "proxy_http_version 1.0; proxy_set_header X-Forwarded-Host $http_host;",
}
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
        proxy_buffering off;
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
    with subprocess.Popen([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)


@pytest.mark.parametrize("behind", [[], ["127.0.0.1"]], ids=["as it is", "behind a named front"])
async def test_people_register_sign_in_and_see_an_answer_grow(tmp_path: Path, behind: list[str]) -> None:
    make_certificate(tmp_path / "tls")
    context = ssl.create_default_context(cafile=tmp_path / "tls" / "fullchain.pem")
    port, site = free_port(), free_port()
    url = f"https://localhost:{port}"
    with serving(tmp_path / "data", public_url=url) as served:
        write_site(tmp_path, served, site, behind)
        for number, headers in enumerate(FRONTS.values()):
            with nginx(tmp_path, site, port, headers):
                way = httpx.AsyncHTTPTransport(verify=context, local_address=VISITOR)
                async with httpx.AsyncClient(base_url=url, transport=way, timeout=15) as browser:
                    await ready(browser)
                    await register(browser, f"person{number}")
                    await grow(browser)
                    told = await address_told(browser)
            assert told == (VISITOR if behind and "X-Forwarded-For" in headers else "127.0.0.1")


async def ready(browser: httpx.AsyncClient) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            if (await browser.get("/healthz")).status_code == 200:
                return
        except httpx.HTTPError:
            assert time.monotonic() < deadline


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
    fields = {"csrf_token": token_in(page), "content": "Of tea [[tokens=8 rate=10]]"}
    answer = await browser.post("/", data=fields, headers=headers)
    assert answer.status_code == 303, answer.text
    path = answer.headers["location"]
    seen = set()
    for _ in range(40):
        text = (await browser.get(path)).text
        seen.add(len(text))
        if "aria-busy" not in text:
            break
    assert len(seen) > 2


async def address_told(browser: httpx.AsyncClient) -> str:
    """From where the list of devices says that this one signed in."""
    found = re.search(r"\b(?:\d{1,3}\.){3}\d{1,3}\b", (await browser.get("/settings/devices")).text)
    assert found is not None
    return found[0]

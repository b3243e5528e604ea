"""By TLS and HTTP/2, with the variant of the site that `teahouse deploy nginx --tls` writes."""

import asyncio
import itertools
import socket
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.stack.stack import Stack
from tests.stack.visitor import PASSWORD, sign_up, visitors


@pytest.fixture
async def http(secure_site: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """One connection for all that is asked; httpx sets what the context offers, so that it gets one of its own."""
    context = ssl.create_default_context(cafile=secure_site.folder / "tls" / "fullchain.pem")
    async with httpx.AsyncClient(base_url=secure_site.url, http2=True, verify=context, timeout=15) as client:
        yield client


@pytest.fixture(scope="module")
def token(secure_site: Stack) -> str:
    return sign_up(secure_site.url, "alice", secure_site.context)


async def test_everything_comes_by_http_2(http: httpx.AsyncClient) -> None:
    for path in ("/register", "/healthz", "/api/v1/openapi.json", "/app/", "/nothing"):
        answer = await http.get(path)
        assert answer.http_version == "HTTP/2", path
        counted = Counter(name.lower() for name, _ in answer.headers.multi_items())
        assert counted["strict-transport-security"] == 1 and counted["content-security-policy"] == 1, path


async def test_a_page_signs_in_with_a_cookie_for_tls_alone(secure_site: Stack, http: httpx.AsyncClient) -> None:
    page = (await http.get("/register")).text
    csrf = page.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"csrf_token": csrf, "username": "carol", "email": "carol@example.org", "password": PASSWORD}
    answer = await http.post("/register", data=form, headers={"Origin": secure_site.url})
    assert answer.status_code == 303, answer.text
    cookies = [cookie for cookie in answer.headers.get_list("set-cookie") if "session" in cookie]
    assert cookies and all(cookie.startswith("__Host-") and "Secure" in cookie for cookie in cookies)
    assert (await http.get("/")).status_code == 200


async def test_an_answer_streams_while_the_same_connection_asks_for_more(
    secure_site: Stack, http: httpx.AsyncClient, token: str
) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    async with visitors(secure_site.url, [token], secure_site.context) as (alice,):
        begun = await alice.begin("Of tea [[tokens=16 rate=8 first=50]]")
    assert begun is not None
    arrived: list[float] = []

    async def follow() -> None:
        async with http.stream("GET", f"/api/v1/jobs/{begun[0]}/events", headers=headers) as answer:
            assert answer.http_version == "HTTP/2"
            arrived.extend([time.monotonic() async for _ in answer.aiter_raw()])

    following = asyncio.create_task(follow())
    asked = 0
    while not following.done():
        assert (await http.get("/api/v1/auth/me", headers=headers)).status_code == 200
        asked += 1
        await asyncio.sleep(0.05)
    await following
    assert len(arrived) > 8 and asked > 8
    assert max(b - a for a, b in itertools.pairwise(arrived)) < 1.2, "all at once would be two seconds"


def _versions(site: Stack, version: ssl.TLSVersion) -> str | None:
    assert site.context is not None
    context = ssl.create_default_context(cadata=(site.folder / "tls" / "fullchain.pem").read_text())
    context.minimum_version = context.maximum_version = version
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with socket.create_connection(("localhost", site.port), timeout=10) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="localhost") as secure:
                return secure.version()
        except (ssl.SSLError, ConnectionResetError):
            return None


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_old_versions_are_refused(secure_site: Stack) -> None:
    versions = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    assert [_versions(secure_site, version) for version in versions] == [None, "TLSv1.2", "TLSv1.3"]


def test_plain_http_on_the_same_port_is_no_way_in(secure_site: Stack) -> None:
    answer = httpx.get(f"http://localhost:{secure_site.port}/healthz")
    assert answer.status_code == 400 and "ok" not in answer.text.split()

"""Behind a proxy: whoever comes by the address of the settings registers, however its headers are set; nobody else."""

import itertools
import logging
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest

from tests.api.serving import Served, serving
from tests.web.visitor import token_in

pytestmark = pytest.mark.sqlite

NAME = "tea.example.org"
SITE = f"https://{NAME}"
OURS = {"Sec-Fetch-Site": "same-origin"}
_numbers = itertools.count()


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("proxies") / "data", public_url=SITE) as running:
        yield running


@pytest.fixture(scope="module")
def distrustful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The proxy, in a Docker network, is not among those that it knows."""
    folder = tmp_path_factory.mktemp("proxies") / "data"
    with serving(folder, public_url=SITE, trusted_proxies=["172.30.0.0/16"]) as running:
        yield running


@pytest.fixture(scope="module")
def unconfigured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Nobody has told it by which address people come."""
    with serving(tmp_path_factory.mktemp("proxies") / "data", allowed_hosts=[NAME]) as running:
        yield running


async def register(served: Served, headers: dict[str, Any], **own: str) -> int:
    """The status, of a browser that gets and sends the form through that proxy. `own` are the form's own headers."""
    name = f"person{next(_numbers)}"
    fields = {"username": name, "email": f"{name}@example.org", "password": "long enough"}
    async with httpx.AsyncClient(base_url=served.url, timeout=15, verify=False) as client:
        page = await client.get("/register", headers=headers)
        assert page.status_code == 200, page.text
        jar = SimpleCookie("; ".join(page.headers.get_list("set-cookie")))
        cookies = {"Cookie": "; ".join(f"{one.key}={one.value}" for one in jar.values())}  # over TLS it would send them
        data = {"csrf_token": token_in(page.text), **fields}
        return (await client.post("/register", data=data, headers={**headers, **cookies, **own})).status_code


# As their manuals configure them, in front of an app at another address; what each of them sends.
PROXIES: dict[str, dict[str, str]] = {
    "Nginx, as in our site": {"Host": NAME, "X-Forwarded-For": "203.0.113.5", "X-Forwarded-Proto": "https"},
    "TLS before our Nginx, which says http": {"Host": NAME, "X-Forwarded-For": "10.0.0.2", "X-Forwarded-Proto": "http"},
    "Nginx's first example": {"Host": "127.0.0.1:8000", "Connection": "close"},
    "Caddy": {
        "Host": NAME,
        "X-Forwarded-For": "203.0.113.5",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": NAME,
    },
    "Traefik": {
        "Host": NAME,
        "X-Forwarded-For": "203.0.113.5",
        "X-Forwarded-Host": NAME,
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Server": "a1b2c3",
        "X-Real-Ip": "203.0.113.5",
    },
    "HAProxy with option forwardfor": {"Host": NAME, "X-Forwarded-For": "203.0.113.5"},
    "Apache with ProxyPass": {
        "Host": "127.0.0.1:8000",
        "X-Forwarded-For": "203.0.113.5",
        "X-Forwarded-Host": NAME,
        "X-Forwarded-Server": NAME,
    },
    "two in a row": {"Host": NAME, "X-Forwarded-For": "203.0.113.5, 10.0.0.2", "X-Forwarded-Proto": "https,http"},
    "with ports": {"Host": NAME, "X-Forwarded-For": "203.0.113.5:51820", "X-Forwarded-Proto": "https"},
    "Azure's": {"Host": NAME, "X-Forwarded-For": "[2001:db8::5]:51820", "X-Forwarded-Proto": "https"},
}


@pytest.mark.parametrize("proxy", PROXIES)
@pytest.mark.parametrize("server", ["configured", "distrustful"])
async def test_people_register_by_the_address_of_the_settings(
    request: pytest.FixtureRequest, server: str, proxy: str
) -> None:
    served = request.getfixturevalue(server)
    assert await register(served, PROXIES[proxy], Origin=SITE) == 303
    assert await register(served, PROXIES[proxy], Origin="https://evil.example") == 403
    assert await register(served, PROXIES[proxy], Origin=f"{SITE}:8443") == 403


async def test_a_page_without_referrers_has_no_origin_but_the_browsers_word(configured: Served) -> None:
    proxy = PROXIES["Caddy"]
    assert await register(configured, proxy, Origin="null", **OURS) == 303
    assert await register(configured, proxy, Origin="null") == 403
    assert await register(configured, proxy, Origin="null", **{"Sec-Fetch-Site": "cross-site"}) == 403
    assert await register(configured, proxy, Origin="null", **{"Sec-Fetch-Site": "same-site"}) == 403
    assert await register(configured, proxy, Origin="https://evil.example", **OURS) == 403
    assert await register(configured, proxy, Origin="http://[", **OURS) == 403


@pytest.mark.parametrize(
    ("host", "origin"),
    [(NAME, SITE), (NAME, f"{SITE}:8443"), (NAME, f"http://{NAME}:8080"), (f"{NAME}:8080", f"http://{NAME}")],
)
async def test_without_an_address_in_the_settings_the_browsers_word_counts_too(
    unconfigured: Served, host: str, origin: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert await register(unconfigured, {"Host": host}, Origin=origin, **OURS) == 303
    with caplog.at_level(logging.WARNING, "app.http.origin"):
        assert await register(unconfigured, {"Host": host}, Origin=origin) == 403
    (told,) = [record.getMessage() for record in caplog.records if record.name == "app.http.origin"]
    assert f"its Origin is '{origin}', but this is http://{host}" in told
    assert "TEAHOUSE_PUBLIC_URL" in told


async def test_the_log_names_a_proxy_that_is_not_trusted(distrustful: Served, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "app.http.origin"):
        assert await register(distrustful, PROXIES["Caddy"], Origin="http://elsewhere.example") == 403
    told = caplog.records[-1].getMessage()
    assert "X-Forwarded-Proto: 'https' from 127.0.0.1, which is not among TEAHOUSE_TRUSTED_PROXIES" in told


async def test_a_name_that_the_proxy_says_it_was_asked_by_must_be_ours(configured: Served) -> None:
    async with httpx.AsyncClient(base_url=configured.url, verify=False) as client:
        for host, named, status in (
            ("teahouse:8000", NAME, 200),
            ("teahouse:8000", "evil.example", 400),
            ("evil.example", "evil.example", 400),
            (NAME, "evil.example", 200),
            (NAME, "not a name!", 200),
        ):
            answer = await client.get("/login", headers={"Host": host, "X-Forwarded-Host": named})
            assert answer.status_code == status, (host, named)

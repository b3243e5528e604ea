"""Who is calling, as proxies spell it; believed only of those that are trusted."""

import socket
from typing import Any

import pytest

from app.http import forwarded
from app.http.forwarded import Forwarded
from app.settings import Settings
from tests.jobs.waiting import until

DOCKER = ["127.0.0.1", "172.16.0.0/12"]


def applied(trusted: list[str], peer: str | None, **headers: str) -> tuple[str | None, str]:
    """The caller's address and scheme."""
    scope: dict[str, Any] = {
        "client": (peer, 1234) if peer else None,
        "scheme": "http",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    Forwarded(trusted).apply(scope)
    return (scope["client"] or (None,))[0], scope["scheme"]


@pytest.mark.parametrize(
    ("trusted", "peer", "chain", "caller"),
    [
        (DOCKER, "127.0.0.1", "203.0.113.5", "203.0.113.5"),
        (DOCKER, "::ffff:127.0.0.1", "203.0.113.5", "203.0.113.5"),
        (DOCKER, "172.18.0.3", "203.0.113.5, 172.18.0.9", "203.0.113.5"),
        (DOCKER, "127.0.0.1", "203.0.113.5:51820", "203.0.113.5"),
        (DOCKER, "127.0.0.1", "[2001:db8::5]:51820", "2001:db8::5"),
        (DOCKER, "127.0.0.1", "2001:db8::5", "2001:db8::5"),
        (DOCKER, "127.0.0.1", "198.51.100.7, 203.0.113.5", "203.0.113.5"),
        (DOCKER, "127.0.0.1", "::ffff:203.0.113.5", "203.0.113.5"),
        (DOCKER, "127.0.0.1", "unknown", "127.0.0.1"),
        (DOCKER, "127.0.0.1", "203.0.113.5, unknown, 172.18.0.9", "172.18.0.9"),
        (DOCKER, "192.0.2.9", "203.0.113.5", "192.0.2.9"),
        (["*"], "192.0.2.9", "198.51.100.7, 203.0.113.5", "198.51.100.7"),
        (["::1", "fd00::/8"], "fd00::1:2", "203.0.113.5", "203.0.113.5"),
        (DOCKER, None, "203.0.113.5", "203.0.113.5"),
    ],
)
def test_the_caller(trusted: list[str], peer: str | None, chain: str, caller: str) -> None:
    assert applied(trusted, peer, x_forwarded_for=chain)[0] == caller


@pytest.mark.parametrize(
    ("peer", "told", "scheme"),
    [
        ("127.0.0.1", "https", "https"),
        ("127.0.0.1", "HTTPS", "https"),
        ("127.0.0.1", "https,http", "https"),
        ("127.0.0.1", "https, http", "https"),
        ("127.0.0.1", "http", "http"),
        ("127.0.0.1", "wss", "http"),
        ("127.0.0.1", "", "http"),
        ("192.0.2.9", "https", "http"),
    ],
)
def test_the_scheme(peer: str, told: str, scheme: str) -> None:
    assert applied(DOCKER, peer, x_forwarded_proto=told)[1] == scheme


async def test_a_name_is_resolved_at_the_start_and_again_when_a_stranger_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = ["172.30.0.2"]

    def resolve(name: str, *_: Any, **__: Any) -> list[Any]:
        assert name == "caddy"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(forwarded, "NAMES_FRESH_SECONDS", 0.0)
    proxies = Forwarded(["caddy"])
    assert proxies.is_trusted("172.30.0.2")
    addresses[:] = ["172.30.0.7"]
    assert not proxies.is_trusted("172.30.0.7"), "it is looked up meanwhile"
    await until(lambda: proxies.is_trusted("172.30.0.7"), 5)
    assert not proxies.is_trusted("172.30.0.2")


def test_a_name_that_does_not_resolve_trusts_nobody(caplog: pytest.LogCaptureFixture) -> None:
    assert not Forwarded(["no-such-host.invalid"]).is_trusted("192.0.2.1")
    assert "no-such-host.invalid cannot be resolved" in caplog.text


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("127.0.0.1,caddy,10.0.0.0/8,fd00::/8,*", None),
        ("not a name", "not a name is no address, network or name of a host"),
        ("10.0.0.0/99", "10.0.0.0/99"),
        ("http://proxy", "http://proxy is no address"),
    ],
)
def test_what_may_be_trusted(value: str, told: str | None) -> None:
    if told is None:
        assert len(Settings(_env_file=None, trusted_proxies=value).trusted_proxies) == 5
        return
    with pytest.raises(ValueError, match=told):
        Settings(_env_file=None, trusted_proxies=value)


@pytest.mark.parametrize(
    ("public_url", "origin"),
    [
        ("", ""),
        ("https://Tea.Example.org", "https://tea.example.org"),
        ("https://tea.example.org:443/", "https://tea.example.org"),
        ("http://tea.example.org:80", "http://tea.example.org"),
        ("http://tea.example.org:8080", "http://tea.example.org:8080"),
        ("http://[2001:db8::1]:8080", "http://[2001:db8::1]:8080"),
    ],
)
def test_the_origin_of_the_public_address(public_url: str, origin: str) -> None:
    assert Settings(_env_file=None, public_url=public_url).public_origin == origin


def test_a_port_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="ort"):
        Settings(_env_file=None, public_url="https://example.org:99999")


def test_a_folder_of_another_site_is_refused() -> None:
    with pytest.raises(ValueError, match="a name of its own"):
        Settings(_env_file=None, public_url="https://example.org/tea")

"""Where one is signed in."""

import re

import pytest

from app.accounts.models import Session
from app.web.settings_devices import device_name
from tests.api.serving import Served
from tests.web.visitor import MISSING, Visitor, on_another_device

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
    "Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (CHROME, "Chrome on Windows"),
        (f"{CHROME} Edg/130.0", "Edge on Windows"),
        (SAFARI, "Safari on iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Version/17.5 Safari/605.1.15", "Safari on macOS"),
        ("curl/8.5.0", "curl"),
        ("python-httpx/0.28", "Python"),
        ("<script>", "An unknown browser"),
        ("", "An unknown browser"),
    ],
)
def test_a_device_is_named_in_words(agent: str, name: str) -> None:
    assert device_name(Session(user_agent=agent, kind="page")) == name


def devices_in(page: str) -> list[str]:
    return re.findall(r"/settings/devices/([0-9a-f-]{36})/sign-out", page)


async def test_this_device_is_marked_and_cannot_be_signed_out_here(alice: Visitor) -> None:
    page = (await alice.get("/settings/devices")).text
    assert page.count("This device") == 1 and "Python" in page and "127.0.0.1" in page
    assert devices_in(page) == [] and "Sign out everywhere else" not in page


async def test_another_device_is_signed_out(served: Served, alice: Visitor) -> None:
    async with await on_another_device(served, alice.name) as other:
        (device,) = devices_in((await alice.get("/settings/devices")).text)
        assert (await other.get("/settings")).status_code == 200
        answer = await alice.post(f"/settings/devices/{device}/sign-out")
        assert (answer.status_code, answer.headers["location"]) == (303, "/settings/devices")
        assert (await other.get("/settings")).status_code == 303
    page = (await alice.get("/settings/devices")).text
    assert "The device is signed out." in page and devices_in(page) == []


async def test_all_others_are_signed_out_at_once(served: Served, alice: Visitor) -> None:
    others = [await on_another_device(served, alice.name) for _ in range(2)]
    assert (await alice.post("/settings/devices/others/sign-out")).status_code == 303
    for other in others:
        async with other:
            assert (await other.get("/settings")).status_code == 303
    assert (await alice.get("/settings")).status_code == 200


async def test_another_persons_device_is_not_there(served: Served, alice: Visitor, charlie: Visitor) -> None:
    async with await on_another_device(served, alice.name):
        (device,) = devices_in((await alice.get("/settings/devices")).text)
        assert (await charlie.post(f"/settings/devices/{device}/sign-out")).status_code == 404
        assert devices_in((await alice.get("/settings/devices")).text) == [device]
        assert (await alice.get(f"/settings/devices/{device}/sign-out")).status_code == 405
    for nothing in (MISSING, "nonsense"):
        assert (await alice.post(f"/settings/devices/{nothing}/sign-out")).status_code == 404

"""What decides about the account asks for the password again, in its own form, and nothing typed is lost. (A70)"""

import pytest

from app.ids import new_id
from tests.api.people import bearer, signed_in_long_ago
from tests.api.serving import Served
from tests.factories.accounts import PASSWORD
from tests.jobs.waiting import until
from tests.web.test_settings_devices import devices_in
from tests.web.test_settings_keys import SECRET, key_id_in, make
from tests.web.visitor import Visitor, on_another_device

ASKED = 'name="your_password"'


@pytest.fixture
async def long_signed_in(served: Served, alice: Visitor) -> Visitor:
    """Alice, who has a key and another device."""
    await make(alice)
    await (await on_another_device(served, alice.name)).client.aclose()
    await signed_in_long_ago(served, alice.name)
    return alice


async def forms_of(visitor: Visitor) -> dict[str, dict[str, str]]:
    """Address to what is sent."""
    key = key_id_in((await visitor.get("/settings/keys")).text)
    (device,) = devices_in((await visitor.get("/settings/devices")).text)
    return {
        "/settings/keys": {"name": "a new key", "expires": "30", "scopes": "read", "idempotency_key": new_id()},
        f"/settings/keys/{key}/revoke": {},
        f"/settings/devices/{device}/sign-out": {},
        "/settings/devices/others/sign-out": {},
        "/settings/email": {"email": "new@example.org"},
    }


async def test_nobody_is_asked_who_just_signed_in(alice: Visitor) -> None:
    await make(alice)
    for path in ("/settings", "/settings/keys", "/settings/devices"):
        assert ASKED not in (await alice.get(path)).text


async def test_A70_without_the_password_nothing_happens_and_what_was_typed_stays(long_signed_in: Visitor) -> None:
    forms = await forms_of(long_signed_in)
    for path, fields in forms.items():
        for password, said in (("", "Enter your password"), ("a guess", "The current password is wrong.")):
            answer = await long_signed_in.post(path, **fields, your_password=password)
            assert answer.status_code == 403 and said in answer.text and ASKED in answer.text, path
            assert all(value in answer.text for name, value in fields.items() if name in ("name", "email"))
            assert password not in answer.text or not password
    assert (await forms_of(long_signed_in)).keys() == forms.keys(), "the key and the device are there"
    assert "new@example.org" not in (await long_signed_in.get("/settings")).text


async def test_the_password_once_is_enough_for_a_while(long_signed_in: Visitor) -> None:
    forms = await forms_of(long_signed_in)
    once = {"your_password": PASSWORD}
    for path, fields in forms.items():
        answer = await long_signed_in.post(path, **fields, **once)
        assert answer.status_code in (201, 303), (path, answer.text)
        assert ASKED not in (await long_signed_in.get("/settings")).text
        once = {}


async def test_the_page_of_keys_tells_from_where_each_was_used(served: Served, alice: Visitor) -> None:
    (secret,) = SECRET.findall((await make(alice)).text)
    async with bearer(served.url, secret) as program:
        await program.get("/api/v1/conversations", headers={"User-Agent": "<b>backup</b>/1.0"})

    async def page() -> str:
        text = (await alice.get("/settings/keys")).text
        return text if "Where it was used" in text else ""

    shown = await until(page)
    assert "127.0.0.1" in shown and "&lt;b&gt;backup&lt;/b&gt;/1.0" in shown

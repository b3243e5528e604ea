"""Users as administrators see them."""

import re
from pathlib import Path

import pytest

from tests.api.people import add_user
from tests.api.serving import Served, serving
from tests.factories.accounts import PASSWORD
from tests.web.visitor import MISSING, Visitor, token_in, visitor

VERBS = ["role", "disable", "enable", "password", "delete"]


async def path_of(dana: Visitor, name: str) -> str:
    """By going through the pages of the list."""
    address: str | None = "/admin/users"
    while address:
        page = (await dana.get(address)).text
        found = re.search(rf'href="(/admin/users/[0-9a-f-]{{36}})"><strong>{name}<', page)
        if found:
            return found[1]
        following = re.search(r'href="(/admin/users\?after=[^"]+)"', page)
        address = following[1] if following else None
    raise AssertionError(name)


async def can_sign_in(dana: Visitor, name: str, password: str) -> bool:
    async with type(dana.client)(base_url=dana.client.base_url) as client:
        form = {"csrf_token": token_in((await client.get("/login")).text), "username": name, "password": password}
        return (await client.post("/login", data=form)).status_code == 303


async def test_a_user_is_created_and_can_sign_in(dana: Visitor) -> None:
    fields = {"username": f"made.by.{dana.name}", "email": f"made.{dana.name}@example.org", "password": PASSWORD}
    answer = await dana.post("/admin/users", role="admin", **fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/users")
    assert await can_sign_in(dana, fields["username"], PASSWORD)
    page = (await dana.get(await path_of(dana, fields["username"]))).text
    assert 'value="admin" aria-pressed="true"' in page


async def test_what_a_user_takes_is_told(dana: Visitor, alice: Visitor) -> None:
    page = (await dana.get(await path_of(dana, alice.name))).text
    assert 'id="tokens"' in page and 'id="storage"' in page and "All messages. There is no limit." in page


async def test_what_is_wrong_with_a_new_user_stands_beside_its_field(dana: Visitor, alice: Visitor) -> None:
    answer = await dana.post("/admin/users", username="two words", email="x", password="short", role="king")
    assert answer.status_code == 422 and answer.text.count('class="field-error"') >= 1
    answer = await dana.post("/admin/users", username="two words", email="x", password="short", role="member")
    assert answer.status_code == 422 and answer.text.count('class="field-error"') == 3
    assert 'value="two words"' in answer.text and "short" not in answer.text.replace("shortcuts", "")
    taken = {"username": alice.name, "email": "y@example.org", "password": PASSWORD}
    assert (await dana.post("/admin/users", **taken)).status_code == 409


async def test_a_role_is_given_and_taken(dana: Visitor, alice: Visitor) -> None:
    path = await path_of(dana, alice.name)
    await dana.post(f"{path}/role", role="admin")
    assert (await alice.get("/admin")).status_code == 200
    await dana.post(f"{path}/role", role="member")
    assert (await alice.get("/admin")).status_code == 403
    assert (await dana.post(f"{path}/role", role="king")).status_code == 422


async def test_a_disabled_user_is_out_at_once_and_can_come_back(dana: Visitor, alice: Visitor) -> None:
    path = await path_of(dana, alice.name)
    assert (await dana.post(f"{path}/disable")).headers["location"] == path
    assert (await alice.get("/settings")).status_code == 303
    assert not await can_sign_in(dana, alice.name, PASSWORD)
    assert "Disabled" in (await dana.get(path)).text
    await dana.post(f"{path}/enable")
    assert await can_sign_in(dana, alice.name, PASSWORD)


async def test_a_reset_password_ends_every_sign_in(dana: Visitor, alice: Visitor) -> None:
    path = await path_of(dana, alice.name)
    short = await dana.post(f"{path}/password", password="short")
    assert short.status_code == 422 and "8 to 256" in short.text and "short" not in short.text.replace("shortcuts", "")
    assert (await dana.post(f"{path}/password", password="a brand new password")).status_code == 303
    assert (await alice.get("/settings")).status_code == 303
    assert await can_sign_in(dana, alice.name, "a brand new password")


async def test_what_wants_ones_own_password_is_not_done_here(dana: Visitor) -> None:
    path = await path_of(dana, dana.name)
    page = (await dana.get(path)).text
    assert 'name="password"' not in page and 'href="/settings/delete"' in page
    for verb in ("password", "delete"):
        answer = await dana.post(f"{path}/{verb}", password="a brand new password")
        assert answer.status_code == 409 and "in your settings" in answer.text
    assert await can_sign_in(dana, dana.name, PASSWORD)


async def test_the_deletion_names_what_is_lost_but_not_what_was_said(dana: Visitor, alice: Visitor) -> None:
    await alice.answered("Something private [[tokens=3]]")
    path = await path_of(dana, alice.name)
    page = (await dana.get(f"{path}/delete")).text
    assert "1 conversation<" in page and "2 messages" in page and "private" not in page
    answer = await dana.post(f"{path}/delete")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/users")
    assert (await alice.get("/settings")).status_code == 303
    assert (await dana.get(path)).status_code == 404


@pytest.mark.parametrize("user_id", [MISSING, "nonsense"])
async def test_who_is_not_there_is_not_there(user_id: str, dana: Visitor) -> None:
    for path in ("", "/delete"):
        assert (await dana.get(f"/admin/users/{user_id}{path}")).status_code == 404
    for verb in VERBS:
        answer = await dana.post(f"/admin/users/{user_id}/{verb}", role="member", password=PASSWORD)
        assert answer.status_code == 404, verb


async def test_a_verb_is_sent_not_looked_up(dana: Visitor, alice: Visitor) -> None:
    path = await path_of(dana, alice.name)
    for verb in VERBS[:-1]:
        assert (await dana.get(f"{path}/{verb}")).status_code == 405


async def test_somebody_remains_administrator(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        async with await visitor(served, "dana", role="admin") as dana:
            path = await path_of(dana, dana.name)
            for verb in ("role", "disable", "delete"):
                answer = await dana.post(f"{path}/{verb}", role="member")
                assert answer.status_code == 409 and "administrator" in answer.text, verb
            assert "only administrator" in (await dana.get(path)).text
            async with await visitor(served, "other", role="admin"):
                answer = await dana.post(f"{path}/role", role="member")
                assert (answer.status_code, answer.headers["location"]) == (303, "/")
                assert (await dana.get("/admin")).status_code == 403


async def test_a_long_list_has_pages(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        async with await visitor(served, "dana", role="admin") as dana:
            await served.run(lambda: many(served, 60))
            first = (await dana.get("/admin/users")).text
            assert first.count('class="entry"') == 50
            following = re.search(r'href="(/admin/users\?after=[^"]+)"', first)
            assert following
            second = (await dana.get(following[1])).text
            assert second.count('class="entry"') == 11 and "?after=" not in second and "To the first" in second
            assert (await dana.get("/admin/users?after=nonsense")).status_code == 404


async def many(served: Served, number: int) -> None:
    for index in range(number):
        await add_user(served.services.database, f"person{index}x")

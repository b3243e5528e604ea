"""Taking one's own account away."""

from pathlib import Path

import httpx

from tests.api.serving import Served, serving
from tests.factories.accounts import PASSWORD
from tests.web.visitor import Visitor, visitor


async def test_the_page_names_what_will_be_lost(alice: Visitor) -> None:
    await alice.answered()
    await alice.answered()
    page = (await alice.get("/settings/delete")).text
    assert "2 conversations" in page and "4 messages" in page and alice.name in page


async def test_the_password_is_asked_for(alice: Visitor) -> None:
    for wrong in ("", "not the password"):
        answer = await alice.post("/settings/delete", password=wrong)
        assert answer.status_code == 403 and "password is wrong" in answer.text
    assert (await alice.get("/settings")).status_code == 200


async def test_the_account_is_gone_with_its_cookie_and_its_running_answer(
    served: Served, nobody: httpx.AsyncClient
) -> None:
    async with await visitor(served, "leaver") as leaver:
        await leaver.ask("Go on [[tokens=endless rate=50]]")
        answer = await leaver.post("/settings/delete", password=PASSWORD)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        page = await leaver.get("/login")
        assert page.status_code == 200 and "Your account is deleted." in page.text
        assert (await leaver.get("/settings")).status_code == 303


async def test_the_last_administrator_stays(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        async with await visitor(served, "dana", role="admin") as dana:
            assert "You are the only administrator" in (await dana.get("/settings/delete")).text
            answer = await dana.post("/settings/delete", password=PASSWORD)
            assert answer.status_code == 409
            assert (await dana.get("/settings")).status_code == 200

"""The administrators' overview, and who may sign up."""

import re
from pathlib import Path

import httpx
import pytest

from tests.api.serving import Served, serving
from tests.factories.accounts import PASSWORD
from tests.web.visitor import Visitor, token_in, visitor

PAGES = ["/admin", "/admin/users", "/admin/users/new", "/admin/invites", "/admin/models", "/admin/jobs"]


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_for_administrators(
    path: str, nobody: httpx.AsyncClient, alice: Visitor, dana: Visitor
) -> None:
    assert (await dana.get(path)).status_code == 200
    answer = await alice.get(path)
    assert answer.status_code == 403 and "This page is for administrators." in answer.text
    answer = await nobody.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={path}")


async def test_the_overview_counts(dana: Visitor) -> None:
    page = (await dana.get("/admin")).text
    assert re.search("users?<", page) and re.search("jobs? ha(s|ve) failed", page) and "Teahouse 0." in page


async def register(served: Served, name: str, invite: str = "") -> int:
    async with httpx.AsyncClient(base_url=served.url, verify=False) as client:
        token = token_in((await client.get("/login")).text)
        form = {"username": name, "email": f"{name}@example.org", "password": PASSWORD, "invite": invite}
        return (await client.post("/register", data={"csrf_token": token, **form})).status_code


async def test_an_administrator_decides_who_signs_up(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        async with (
            await visitor(served, "dana", role="admin") as dana,
            httpx.AsyncClient(base_url=served.url, verify=False) as nobody,
        ):
            assert "Create one" in (await nobody.get("/login")).text
            assert (await dana.post("/admin/signup", signup="closed")).headers["location"] == "/admin"
            assert "Create one" not in (await nobody.get("/login")).text
            page = (await nobody.get("/register")).text
            assert "Sign-up is closed" in page and 'name="password"' not in page
            assert await register(served, "erin") == 403
            answer = await nobody.post("/api/v1/auth/register", json={
                "username": "erin", "email": "erin@example.org", "password": PASSWORD
            })  # fmt: skip
            assert answer.status_code == 403, "the API asks the same"
            await dana.post("/admin/signup", signup="invite")
            assert 'name="password"' not in (await nobody.get("/register")).text
            assert 'name="password"' in (await nobody.get("/register", params={"invite": "th_x"})).text
            assert await register(served, "erin") == 403
            await dana.post("/admin/signup", signup="open")
            assert await register(served, "erin") == 303
            assert (await dana.post("/admin/signup", signup="sometimes")).status_code == 422


async def test_what_the_environment_decides_is_shown_locked(tmp_path: Path) -> None:
    with serving(tmp_path / "data", signup="closed") as served:
        async with await visitor(served, "dana", role="admin") as dana:
            page = (await dana.get("/admin")).text
            assert "TEAHOUSE_SIGNUP" in page and "Locked" in page and 'action="/admin/signup"' not in page
            answer = await dana.post("/admin/signup", signup="open")
            assert answer.status_code == 409
            assert await register(served, "erin") == 403

"""Invitations: a link that is shown once and lets one person in."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from app.ids import new_id
from tests.api.serving import serving
from tests.factories.accounts import PASSWORD
from tests.web.visitor import MISSING, Visitor, token_in, visitor

LINK = re.compile(r'id="invite-link">([^<]+)<')


async def test_a_link_is_shown_once_and_lets_one_person_in(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        async with await visitor(served, "dana", role="admin") as dana:
            await dana.post("/admin/signup", signup="invite")
            answer = await dana.post("/admin/invites", idempotency_key=new_id())
            assert answer.status_code == 201 and answer.headers["cache-control"] == "no-store"
            (link,) = LINK.findall(answer.text)
            assert link.startswith(f"{served.url}/register?invite=")
            page = (await dana.get("/admin/invites")).text
            assert not LINK.search(page) and page.count("/revoke") == 1
            expected = [303, 403]
            for name, status in zip(("erin", "frank"), expected, strict=True):
                async with httpx.AsyncClient(base_url=served.url, verify=False) as guest:
                    form = (await guest.get(link)).text
                    invite = parse_qs(urlsplit(link).query)["invite"][0]
                    assert f'name="invite" value="{invite}"' in form
                    fields = {"username": name, "email": f"{name}@example.org", "password": PASSWORD, "invite": invite}
                    answer = await guest.post("/register", data={"csrf_token": token_in(form), **fields})
                    assert answer.status_code == status
            assert "There are no open invitations." in (await dana.get("/admin/invites")).text


async def test_a_form_sent_again_makes_no_second_one(dana: Visitor) -> None:
    key = new_id()
    first = await dana.post("/admin/invites", idempotency_key=key)
    again = await dana.post("/admin/invites", idempotency_key=key)
    assert (first.status_code, again.status_code) == (201, 409)
    assert LINK.search(first.text) and not LINK.search(again.text)


async def test_an_invitation_says_for_whom_it_is(dana: Visitor) -> None:
    await dana.post("/admin/invites", idempotency_key=new_id(), label="Erin & Söhne 茶")
    assert '<strong dir="auto">Erin &amp; Söhne 茶</strong>' in (await dana.get("/admin/invites")).text
    refused = await dana.post("/admin/invites", idempotency_key=new_id(), label="x" * 101)
    assert refused.status_code == 422 and "at most 100 characters" in refused.text


async def test_an_invitation_is_taken_back(dana: Visitor) -> None:
    key = new_id()
    await dana.post("/admin/invites", idempotency_key=key)
    path = f"/admin/invites/{key}/revoke"
    assert (await dana.get(path)).status_code == 405
    assert (await dana.post(path)).headers["location"] == "/admin/invites"
    assert (await dana.post(path)).status_code == 404
    for nothing in (MISSING, "nonsense"):
        assert (await dana.post(f"/admin/invites/{nothing}/revoke")).status_code == 404

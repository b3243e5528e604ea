"""Sign in, sign out, and where one goes then."""

import html
import re

import httpx
import pytest

from app.web.forms import safe_next
from tests.factories.accounts import PASSWORD
from tests.web.visitor import Visitor, htmx, token_in


async def test_signing_in_leads_to_where_one_wanted_to_go(alice: Visitor, nobody: httpx.AsyncClient) -> None:
    path = await alice.ask()
    turned_away = await nobody.get(path, params={"still": "1"})
    assert turned_away.status_code == 303
    login = turned_away.headers["location"]
    assert login == f"/login?next={path}%3Fstill%3D1"
    form = (await nobody.get(login)).text
    assert f'name="next" value="{path}?still=1"' in form
    fields = {"csrf_token": token_in(form), "username": alice.name, "password": PASSWORD, "next": path}
    answer = await nobody.post("/login", data=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, path)


async def test_a_wrong_password_is_told_beside_the_form_and_the_name_stays(nobody: httpx.AsyncClient) -> None:
    fields = {"csrf_token": token_in((await nobody.get("/login")).text), "username": "alice<", "password": "secret-1"}
    answer = await nobody.post("/login", data=fields)
    assert answer.status_code == 401
    assert 'class="form-error"' in answer.text and 'value="alice&lt;"' in answer.text
    assert "secret-1" not in answer.text


async def test_signing_out_ends_the_session_not_only_the_cookie(alice: Visitor, nobody: httpx.AsyncClient) -> None:
    nobody.cookies = httpx.Cookies(alice.client.cookies)
    assert (await nobody.get("/")).status_code == 200
    answer = await alice.post("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert (await nobody.get("/")).status_code == 303


async def test_only_signing_out_names_to_scripts_whose_drafts_to_forget(alice: Visitor) -> None:
    user_id = re.findall('data-user="([^"]+)"', (await alice.get("/")).text)[0]
    session = alice.client.cookies["teahouse_session"]
    left = [
        cookie for cookie in (await alice.post("/logout")).headers.get_list("set-cookie") if "teahouse_left" in cookie
    ]
    assert len(left) == 1 and left[0].startswith(f"teahouse_left={user_id};") and "HttpOnly" not in left[0]
    alice.client.cookies = httpx.Cookies({"teahouse_session": session})
    over = await alice.get("/login")
    assert "teahouse_session" in over.headers["set-cookie"] and "teahouse_left" not in str(over.headers)


async def test_whoever_has_an_old_cookie_can_sign_in_again(alice: Visitor, nobody: httpx.AsyncClient) -> None:
    nobody.cookies = httpx.Cookies(alice.client.cookies)
    await alice.post("/logout")
    form = (await nobody.get("/login")).text
    fields = {"csrf_token": token_in(form), "username": alice.name, "password": PASSWORD}
    assert (await nobody.post("/login", data=fields)).status_code == 303


async def test_htmx_is_told_to_go_to_the_form(nobody: httpx.AsyncClient) -> None:
    headers = {**htmx("chat"), "HX-Current-URL": "http://localhost/c/1?x=2"}
    answer = await nobody.get("/", headers=headers)
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login?next=/c/1")


async def test_who_is_signed_in_needs_no_form(alice: Visitor) -> None:
    for path in ("/login", "/register"):
        answer = await alice.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "///evil.example",
        "https:evil.example",
        "https://evil.example/c/1",
        "/\\evil.example",
        "\\/evil.example",
        "/%09/evil.example",
        "/\t/evil.example",
        "/%2f/evil.example",
        "/%5cevil.example",
        "/%255cevil.example",
        "/\x00",
        "/a\r\nLocation: https://evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "/login?next=//evil.example",
        "/logout",
        "evil.example",
        "",
        "http://[",
    ],
)
async def test_no_address_leads_away_from_here(target: str, alice: Visitor) -> None:
    assert safe_next(target) == "/"
    answer = await alice.client.get("/login", params={"next": target})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("target", ["/", "/c/1", "/?older=1", "/c/1?before=2&still=1", "/c/茶"])
def test_an_address_of_ours_stays(target: str) -> None:
    assert safe_next(target) == target


async def test_the_form_does_not_repeat_a_foreign_address(nobody: httpx.AsyncClient) -> None:
    page = (await nobody.get("/login", params={"next": "//evil.example"})).text
    assert "evil" not in html.unescape(page)


async def test_a_language_is_chosen_before_signing_in(nobody: httpx.AsyncClient) -> None:
    form = (await nobody.get("/login", params={"next": "/c/1"})).text
    assert '<html lang="en"' in form and 'aria-pressed="true">English' in form
    fields = {"csrf_token": token_in(form), "page": "login", "next": "/c/1", "locale": "zh-CN"}
    answer = await nobody.post("/language", data=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fc%2F1")
    page = (await nobody.get("/login")).text
    assert '<html lang="zh-CN"' in page and 'aria-pressed="true">简体中文' in page


async def test_the_language_form_leads_nowhere_else(nobody: httpx.AsyncClient) -> None:
    token = token_in((await nobody.get("/login")).text)
    for page, kept, there in [
        ("login", {"next": "//evil.example"}, "/login"),
        ("//evil.example", {}, "/login"),
        ("register", {"invite": "a&b=c"}, "/register?invite=a%26b%3Dc"),
    ]:
        fields = {"csrf_token": token, "page": page, "locale": "en", **kept}
        assert (await nobody.post("/language", data=fields)).headers["location"] == there
    assert (await nobody.post("/language", data={"csrf_token": token, "locale": "de"})).status_code == 422
    assert (await nobody.post("/language", data={"locale": "en"})).status_code == 403
    assert (await nobody.get("/language")).status_code == 405

"""The account's page: e-mail, password, language, theme, default model."""

import httpx
import pytest

from tests.api.people import MODEL
from tests.api.serving import Served
from tests.factories.accounts import PASSWORD
from tests.web.visitor import Visitor, on_another_device

FORMS = ["email", "password", "language", "theme", "model"]


async def test_the_page_shows_what_is_ones_own(alice: Visitor) -> None:
    page = (await alice.get("/settings")).text
    assert f"Signed in as {alice.name}" in page and f'value="{alice.name}@example.org"' in page
    assert f'<option value="{MODEL}">' in page
    assert "Tokens today" in page and "Storage" in page and page.count("There is no limit.") == 2


async def test_nobody_is_led_to_sign_in(nobody: httpx.AsyncClient) -> None:
    answer = await nobody.get("/settings")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/settings")


@pytest.mark.parametrize("name", FORMS)
async def test_a_form_is_sent_not_looked_up(name: str, alice: Visitor) -> None:
    assert (await alice.get(f"/settings/{name}")).status_code == 405


async def test_a_new_address_is_kept_and_said(alice: Visitor) -> None:
    answer = await alice.post("/settings/email", email=f" new.{alice.name}@example.org ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings#email")
    page = (await alice.get("/settings")).text
    assert f'value="new.{alice.name}@example.org"' in page and "Saved." in page
    assert "Saved." not in (await alice.get("/settings")).text, "once"


@pytest.mark.parametrize("email", ["no address", "", "a@b@c"])
async def test_a_wrong_address_is_told_beside_it_and_stays(email: str, alice: Visitor) -> None:
    answer = await alice.post("/settings/email", email=email)
    assert answer.status_code == 422 and answer.text.count('class="field-error"') == 1
    assert f'value="{email}"' in answer.text
    assert f"{alice.name}@example.org" in (await alice.get("/settings")).text


async def test_an_address_of_somebody_else_is_taken(alice: Visitor, charlie: Visitor) -> None:
    answer = await alice.post("/settings/email", email=f"{charlie.name}@EXAMPLE.org")
    assert answer.status_code == 409 and "is taken" in answer.text


async def test_a_new_password_signs_out_the_others_but_not_here(served: Served, alice: Visitor) -> None:
    async with httpx.AsyncClient(base_url=served.url, cookies=alice.client.cookies, verify=False) as here:
        other = await on_another_device(served, alice.name)
        fields = {"current_password": PASSWORD, "new_password": "another long password"}
        answer = await alice.post("/settings/password", **fields)
        assert (answer.status_code, answer.headers["location"]) == (303, "/settings#password")
        assert "Your password is changed" in (await alice.get("/settings")).text
        assert (await here.get("/settings")).status_code == 200
        async with other:
            assert (await other.get("/settings")).status_code == 303
    assert (await alice.post("/settings/password", **fields)).status_code == 403, "the old one is not it any more"


async def test_a_wrong_current_password_changes_nothing_and_is_not_repeated(alice: Visitor) -> None:
    answer = await alice.post("/settings/password", current_password="guess-1234", new_password="another long password")
    assert answer.status_code == 403 and "The current password is wrong." in answer.text
    assert "guess-1234" not in answer.text and "another long password" not in answer.text


async def test_a_short_password_is_told_beside_it(alice: Visitor) -> None:
    answer = await alice.post("/settings/password", current_password=PASSWORD, new_password="short")
    assert answer.status_code == 422
    assert '<span id="new_password-note" class="field-error">A password has 8 to 256 characters.' in answer.text


async def test_the_language_is_the_accounts_and_stays_for_the_sign_in_page(alice: Visitor) -> None:
    answer = await alice.post("/settings/language", locale="zh-CN")
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings#language")
    assert '<html lang="zh-CN"' in (await alice.get("/settings")).text
    await alice.post("/logout")
    assert '<html lang="zh-CN"' in (await alice.get("/login")).text


async def test_the_theme_is_the_devices(alice: Visitor) -> None:
    assert "data-theme" not in (await alice.get("/")).text
    answer = await alice.post("/settings/theme", theme="dark")
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings#theme")
    assert 'data-theme="dark"' in (await alice.get("/")).text
    await alice.post("/settings/theme", theme="system")
    assert "data-theme" not in (await alice.get("/")).text


@pytest.mark.parametrize(("form", "field"), [("language", "locale"), ("theme", "theme")])
@pytest.mark.parametrize("value", ["", "de", "<b>"])
async def test_what_is_not_offered_is_refused(form: str, field: str, value: str, alice: Visitor) -> None:
    assert (await alice.post(f"/settings/{form}", **{field: value})).status_code == 422


async def test_a_default_model_is_kept_and_taken_back(alice: Visitor) -> None:
    assert (await alice.post("/settings/model", default_model=MODEL)).status_code == 303
    assert f'<option value="{MODEL}" selected>' in (await alice.get("/settings")).text
    assert (await alice.post("/settings/model", default_model="ollama/gone")).status_code == 303
    assert '<option value="ollama/gone" selected>' in (await alice.get("/settings")).text, "though its server lacks it"
    await alice.post("/settings/model", default_model="")
    assert " selected>" not in (await alice.get("/settings")).text


async def test_a_model_of_no_server_is_refused(alice: Visitor) -> None:
    answer = await alice.post("/settings/model", default_model="nowhere/x")
    assert answer.status_code == 422 and 'class="form-error"' in answer.text

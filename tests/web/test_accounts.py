"""Register."""

import httpx

from tests.web.visitor import Visitor, token_in


async def fields(client: httpx.AsyncClient, **values: str) -> dict[str, str]:
    page = await client.get("/register")
    given = {"username": "erin", "email": "erin@example.org", "password": "long enough", **values}
    return {"csrf_token": token_in(page.text), **given}


async def test_whoever_registers_is_signed_in(nobody: httpx.AsyncClient) -> None:
    answer = await nobody.post("/register", data=await fields(nobody))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "erin" in (await nobody.get("/")).text


async def test_each_error_stands_beside_its_field_and_nothing_typed_is_lost(nobody: httpx.AsyncClient) -> None:
    wrong = await fields(nobody, username="two words", email="no address", password="short")
    answer = await nobody.post("/register", data=wrong)
    assert answer.status_code == 422
    assert answer.text.count('class="field-error"') == 3 and answer.text.count('aria-invalid="true"') == 3
    assert 'value="two words"' in answer.text and 'value="no address"' in answer.text
    assert 'value="short"' not in answer.text


async def test_a_name_that_is_taken_is_told_beside_the_name(nobody: httpx.AsyncClient, alice: Visitor) -> None:
    answer = await nobody.post("/register", data=await fields(nobody, username=alice.name.upper()))
    assert answer.status_code == 409
    assert '<span id="username-note" class="field-error">This name is taken.' in answer.text

"""Register."""

import time
from pathlib import Path

import httpx
import pytest

from app.providers.catalog import DEADLINE
from tests.api.serving import serving
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


async def test_an_account_speaks_the_language_of_the_page_it_was_made_on(nobody: httpx.AsyncClient) -> None:
    given = await fields(nobody, username="mei", email="mei@example.org")
    await nobody.post("/register", data=given, headers={"Accept-Language": "zh-TW,zh;q=0.9"})
    assert '<html lang="zh-CN"' in (await nobody.get("/")).text


async def test_the_first_visitor_is_told_what_was_found_and_administers(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        async with httpx.AsyncClient(base_url=served.url, verify=False) as first:
            page = (await first.get("/register")).text
            assert "Welcome" in page and "Ready to talk to" in page and "scripted:latest" in page
            assert (await first.post("/register", data=await fields(first))).status_code == 303
            assert (await first.get("/admin")).status_code == 200
        async with httpx.AsyncClient(base_url=served.url, verify=False) as second:
            assert "Ready to talk to" not in (await second.get("/register")).text


async def test_the_first_visitor_is_told_how_to_connect_a_model(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        served.model.path_faults["/api/tags"] = "hang"
        async with httpx.AsyncClient(base_url=served.url, verify=False) as first:
            began = time.monotonic()
            page = (await first.get("/register")).text
            assert time.monotonic() - began < DEADLINE + 1
            assert "No model was found yet" in page and "TEAHOUSE_OLLAMA_URL" in page
            assert "TEAHOUSE_OPENAI_BASE_URL" in page and 'name="password"' in page


async def test_the_built_in_model_is_called_a_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tmp_path / "data") as served:
        monkeypatch.setattr(served.services.providers, "is_demo", lambda name: True)
        async with httpx.AsyncClient(base_url=served.url, verify=False) as first:
            page = (await first.get("/register")).text
            assert "For trying Teahouse out" in page and "TEAHOUSE_OLLAMA_URL" in page

"""Models as administrators see them."""

import asyncio
import re
from pathlib import Path

import pytest

from app.ids import new_id
from app.providers import catalog
from app.providers.embedded import provider as embedded
from app.providers.embedded.discovery import find_model
from tests.api.people import MODEL
from tests.api.serving import Served, serving, titles_are_made
from tests.ports import free_port
from tests.providers.asking import settings_for
from tests.providers.embedded.runtimes import LIBGOMP, LIBGOMP_TOLD, child_with, refusing
from tests.web.visitor import Visitor, visitor

VERBS = ["pull", "delete", "unload"]


async def pull(dana: Visitor, name: str, key: str = "") -> int:
    return (await dana.post("/admin/models/pull", name=name, idempotency_key=key or new_id())).status_code


async def page_when(dana: Visitor, part: str, *, is_gone: bool = False) -> str:
    for _ in range(200):
        page = (await dana.get("/admin/models")).text
        if (part in page) is not is_gone:
            return page
        await asyncio.sleep(0.02)
    raise AssertionError(page)


async def test_models_are_listed_with_size_window_and_state(dana: Visitor, served: Served) -> None:
    page = (await dana.get("/admin/models")).text
    assert "Ollama" in page and "scripted:latest" in page and "100 MB" in page and "reads 8,192 tokens" in page


async def test_a_pull_shows_its_progress_and_then_the_model(dana: Visitor, served: Served) -> None:
    served.model.pull_delay = 0.05
    assert await pull(dana, "  new-one:1b ") == 303
    page = await page_when(dana, "<progress max=")
    assert re.search(r'<progress max="100000000" value="\d+"', page) and 'hx-trigger="every 1s"' in page
    fragment = (await dana.get("/admin/models", target="models")).text
    assert "<html" not in fragment and "new-one:1b" in fragment
    await page_when(dana, "id=ollama/new-one%3A1b")
    await page_when(dana, "<progress", is_gone=True)  # the job's end follows the model's arrival


async def test_a_pull_is_cancelled(dana: Visitor, served: Served) -> None:
    served.model.pull_delay = 0.2
    await pull(dana, "slow:1b")
    page = await page_when(dana, "<progress max=")
    (job_id,) = re.findall(r"/admin/jobs/([0-9a-f-]{36})/cancel", page)
    answer = await dana.post(f"/admin/jobs/{job_id}/cancel", back="models")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/models")
    await page_when(dana, "Cancelled")
    assert "slow:1b" not in served.model.models
    served.model.pull_delay = 0.02


async def test_a_failed_pull_says_why_in_the_servers_words_and_can_be_tried_again(dana: Visitor) -> None:
    await pull(dana, "missing:1b")
    page = await page_when(dana, "pull model manifest: file does not exist")
    (job_id, *_) = re.findall(r"/admin/jobs/([0-9a-f-]{36})/retry", page)
    assert (await dana.post(f"/admin/jobs/{job_id}/retry", back="models")).headers["location"] == "/admin/models"


async def test_one_form_pulls_once(dana: Visitor, served: Served) -> None:
    key = new_id()
    assert [await pull(dana, "once:1b", key), await pull(dana, "once:1b", key)] == [303, 303]
    page = await page_when(dana, "once:1b")
    assert page.count("<strong>once:1b</strong>") <= 2, "the job, and then the model"


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "https://evil.example/x", "a b"])
async def test_a_name_that_is_none_is_told_beside_the_field(name: str, dana: Visitor) -> None:
    answer = await dana.post("/admin/models/pull", name=name, idempotency_key=new_id())
    assert answer.status_code == 422 and '<span id="name-note" class="field-error">' in answer.text


async def test_details_are_the_servers_own(dana: Visitor) -> None:
    page = (await dana.get(f"/admin/models/show?id={MODEL}")).text
    assert "Q4_1" in page and "scripted" in page and "8192 tokens" in page.replace(",", "")
    assert "You may do &lt;anything&gt; with it." in page and "{{ .Prompt }}" in page


async def test_a_model_is_dropped_after_a_question(dana: Visitor, served: Served) -> None:
    served.model.models.append("old:1b")
    page = (await dana.get("/admin/models/delete?id=ollama/old:1b")).text
    assert "100 MB" in page or "disk" in page
    answer = await dana.post("/admin/models/delete", id="ollama/old:1b")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/models")
    page = (await dana.get("/admin/models")).text
    assert "The model is deleted." in page or "old:1b" not in page
    assert "old:1b" not in served.model.models
    assert (await dana.post("/admin/models/delete", id="ollama/old:1b")).status_code == 404


async def test_a_loaded_model_gives_its_memory_back(dana: Visitor, alice: Visitor, served: Served) -> None:
    await alice.answered()
    await titles_are_made(served)
    assert "scripted:latest" in served.model.loaded
    answer = await dana.post("/admin/models/unload", id=MODEL)
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/models")
    assert "scripted:latest" not in served.model.loaded
    assert "Unload scripted:latest" not in (await dana.get("/admin/models")).text


@pytest.mark.parametrize("model_id", ["ollama/nowhere", "openai/gpt", "", "ollama/"])
async def test_what_is_not_there_or_not_ollamas_is_refused(model_id: str, dana: Visitor) -> None:
    expected = 404 if model_id == "ollama/nowhere" else 422
    assert (await dana.get("/admin/models/show", target=None)).status_code == 422
    assert (await dana.client.get("/admin/models/show", params={"id": model_id})).status_code == expected
    assert (await dana.post("/admin/models/delete", id=model_id)).status_code == expected
    assert (await dana.post("/admin/models/unload", id=model_id)).status_code == expected


async def test_members_do_not_manage_models(alice: Visitor) -> None:
    for verb in VERBS:
        assert (await alice.post(f"/admin/models/{verb}", name="x", id=MODEL)).status_code == 403
    assert (await alice.get(f"/admin/models/show?id={MODEL}")).status_code == 403
    assert (await alice.get(f"/admin/models/delete?id={MODEL}")).status_code == 403


async def test_a_verb_is_sent_not_looked_up(dana: Visitor) -> None:
    for verb in ("pull", "unload"):
        assert (await dana.get(f"/admin/models/{verb}")).status_code == 405


@pytest.mark.skipif(find_model(settings_for(embedded_model="auto")) is None, reason="extra not installed")
async def test_F38_the_first_page_says_what_the_built_in_model_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "CHILD", child_with(tmp_path / "fake", refusing(LIBGOMP)))
    monkeypatch.setattr(embedded, "LIST_SECONDS", 15.0)
    monkeypatch.setattr(catalog, "DEADLINE", 15.0)
    with serving(tmp_path / "data", embedded_model="auto", ollama_url=f"http://127.0.0.1:{free_port()}") as served:
        async with await visitor(served, "alice") as alice:
            page = (await alice.get("/")).text
            (problem,) = re.findall(r'<p class="model-problem">(Demo model.*?)</p>', page)
            assert problem.startswith("Demo model, built in: This model cannot run here.")
            assert LIBGOMP_TOLD in problem


async def test_a_server_that_is_away_says_so_and_how_to_connect_one_is_told(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        async with await visitor(served, "dana", role="admin") as dana:
            served.model.path_faults["/api/tags"] = "status:500"
            page = (await dana.get("/admin/models")).text
            assert 'class="model-problem"' in page
            served.model.path_faults.clear()

"""The first page, a conversation, rename and delete: works, owner only, bad id, wrong method."""

import pytest

from tests.api.people import MODEL
from tests.api.serving import Served
from tests.web.visitor import MISSING, Visitor, ids_in

PAGES = ["{c}", "{c}/rename", "{c}/actions", "{c}/export"]


async def test_the_first_page_lists_what_one_has_and_what_can_answer(alice: Visitor, charlie: Visitor) -> None:
    empty = (await alice.get("/")).text
    assert "scripted:latest" in empty and "models are ready" in empty
    path = await alice.ask("Is <b>tea</b> healthy? [[tokens=3]]")
    page = (await alice.get("/")).text
    assert f'href="{path}"' in page and "Is &lt;b&gt;tea&lt;/b&gt; healthy?" in page
    assert path not in (await charlie.get("/")).text


async def test_older_conversations_are_one_link_away(served: Served, alice: Visitor) -> None:
    paths = [await alice.ask(f"Number {number} [[tokens=1]]") for number in range(52)]
    first = (await alice.get("/")).text
    assert paths[-1] in first and paths[0] not in first
    oldest = paths[2].rpartition("/")[2]
    assert f"/?older={oldest}" in first
    second = (await alice.get(f"/?older={oldest}")).text
    assert paths[0] in second and paths[1] in second and paths[2] not in second


async def test_a_conversation_shows_both_sides(alice: Visitor) -> None:
    path = await alice.answered("Hello <script>alert(1)</script> [[tokens=3]]")
    page = (await alice.get(path)).text
    assert len(ids_in(page)) == 2
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "<script>alert" not in page


async def test_what_is_private_is_not_kept_and_varies(alice: Visitor) -> None:
    answer = await alice.get(await alice.ask())
    assert answer.headers["cache-control"] == "no-store"
    assert {"HX-Request", "Cookie"} <= {part.strip() for part in answer.headers["vary"].split(",")}
    assert "etag" not in answer.headers


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_is_its_owners_only(page: str, alice: Visitor, charlie: Visitor) -> None:
    path = page.format(c=await alice.ask())
    assert (await alice.get(path)).status_code == 200
    strange, missing = await charlie.get(path), await charlie.get(page.format(c=f"/c/{MISSING}"))
    assert strange.status_code == missing.status_code == 404


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("bad", ["1", "x" * 36, "..%2f..", "%00", "é"])
async def test_a_bad_id_is_a_page_that_is_not_there(page: str, bad: str, alice: Visitor) -> None:
    answer = await alice.get(page.format(c=f"/c/{bad}"))
    assert answer.status_code == 404 and answer.headers["content-type"].startswith("text/html")


async def test_get_changes_nothing(alice: Visitor) -> None:
    path = await alice.ask()
    for wrong in ("messages", "jobs/1/cancel"):
        assert (await alice.get(f"{path}/{wrong}")).status_code in (404, 405)
    assert (await alice.client.put(path)).status_code == 405
    for change in ("pin", "unpin", "archive", "unarchive", "delete", "restore"):
        assert (await alice.get(f"{path}/{change}?_method=POST")).status_code == 405
    assert (await alice.get(path)).status_code == 200


async def test_renaming(alice: Visitor, charlie: Visitor) -> None:
    path = await alice.ask()
    assert (await charlie.post(f"{path}/rename", title="Mine")).status_code == 404
    refused = await alice.post(f"{path}/rename", title="  ")
    assert refused.status_code == 422 and "A title has 1 to 200 characters." in refused.text
    too_long = await alice.post(f"{path}/rename", title="t" * 201)
    assert f'value="{"t" * 201}"' in too_long.text
    answer = await alice.post(f"{path}/rename", title="  Tea &\r\n milk ")
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert '<h1 class="bar-title" dir="auto">Tea &amp; milk</h1>' in (await alice.get(path)).text


async def test_a_first_message_that_is_refused_leaves_no_conversation(alice: Visitor) -> None:
    for fields in ({"content": " "}, {"content": "kept & safe", "model": "nowhere/model"}):
        answer = await alice.post("/", **fields)
        assert answer.status_code == 422 and 'class="form-error"' in answer.text
    assert "kept &amp; safe</textarea>" in answer.text
    assert "/c/" not in (await alice.get("/")).text


async def test_a_first_message_sent_twice_makes_one_conversation(alice: Visitor) -> None:
    first = await alice.post("/", content="Once [[tokens=1]]", idempotency_key="the-key")
    second = await alice.post("/", content="Once [[tokens=1]]", idempotency_key="the-key")
    other = await alice.post("/", content="Twice [[tokens=1]]", idempotency_key="the-key")
    assert first.headers["location"] == second.headers["location"] != other.headers["location"]
    page = (await alice.get("/")).text
    assert page.count('<li id="conversation-') == 2


async def test_older_messages_are_one_link_away(served: Served, alice: Visitor) -> None:
    path = await alice.answered("First [[tokens=1]]")
    for number in range(25):
        await alice.post(f"{path}/messages", content=f"Number {number} [[tokens=1]]")
    newest = (await alice.get(path)).text
    assert len(ids_in(newest)) == 50 and "First [[" not in newest.partition('id="messages"')[2]
    before = newest.partition(f"{path}?before=")[2][:36]
    whole = (await alice.get(f"{path}?before={before}")).text
    part = (await alice.get(f"{path}?before={before}", target="earlier")).text
    assert ids_in(whole) == ids_in(part) and len(ids_in(part)) == 2
    assert "<html" in whole and "<html" not in part


async def test_a_model_that_is_gone_is_no_default(alice: Visitor, served: Served) -> None:
    await served.run(lambda: served.services.providers.models(fresh=True))
    await alice.post("/settings/model", default_model="ollama/gone")
    page = (await alice.get("/")).text
    assert "ollama/gone" not in page and f'<option value="{MODEL}" selected>' in page

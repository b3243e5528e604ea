"""Conversations: works, owner only, bad id, wrong method; pages, branches in view, export."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.api.answers import is_problem
from tests.api.people import MISSING, MODEL, Person

FIELDS = {
    "id", "title", "model", "system_prompt", "options", "pinned", "archived", "head_id", "created_at", "updated_at",
}  # fmt: skip


async def test_a_conversation_is_made_read_changed_and_deleted(alice: Person) -> None:
    wanted = {
        "title": "  Green \n tea ",
        "model": MODEL,
        "system_prompt": "Answer briefly.",
        "options": {"temperature": 0.5, "seed": 1, "stop": ["END"], "think": False},
    }
    made = await alice.client.post("/api/v1/conversations", json=wanted)
    assert made.status_code == 201
    body = made.json()
    assert body.keys() == FIELDS
    path = f"/api/v1/conversations/{body['id']}"
    assert made.headers["location"] == path
    assert body["title"] == "Green tea" and body["options"] == wanted["options"] and body["head_id"] is None
    assert (await alice.client.get(path)).json() == body
    changed = await alice.client.patch(path, json={"pinned": True, "title": "Black tea"})
    assert changed.status_code == 200
    assert changed.json() == {**body, "pinned": True, "title": "Black tea"}
    cleared = await alice.client.patch(path, json={"model": None, "options": {}, "title": None})
    assert (cleared.json()["model"], cleared.json()["options"], cleared.json()["title"]) == (None, {}, "Black tea")
    gone = await alice.client.delete(path)
    assert gone.status_code == 204 and gone.content == b""
    for method in ("GET", "PATCH", "DELETE"):
        answer = await alice.client.request(method, path, json={} if method == "PATCH" else None)
        assert is_problem(answer, 404, "not_found")


async def test_an_id_is_the_same_in_capitals(alice: Person) -> None:
    conversation_id = await alice.conversation()
    answer = await alice.client.get(f"/api/v1/conversations/{conversation_id.upper()}")
    assert answer.json()["id"] == conversation_id


@pytest.mark.parametrize("bad", ["x", "1", MISSING, MISSING[:-1], MISSING + "0", "%00", "..", "%2e%2e%2f", "é", "'--"])
async def test_a_bad_id_is_404(alice: Person, bad: str) -> None:
    answer = await alice.client.get(f"/api/v1/conversations/{bad}")
    assert answer.status_code in ((404,) if bad != ".." else (404, 405))


@pytest.mark.parametrize(
    "body",
    [
        {"title": "x" * 201},
        {"title": 5},
        {"title": "a\0b"},
        {"system_prompt": "x" * 32_001},
        {"model": "nobody/x"},
        {"model": "scripted"},
        {"model": "ollama/"},
        {"model": "ollama/" + "x" * 200},
        {"options": {"temperature": 3}},
        {"options": {"temperature": "1"}},
        {"options": {"top_k": True}},
        {"options": {"num_gpu": 1}},
        {"options": {"num_ctx": 10**9}},
        {"options": {"keep_alive": -1}},
        {"options": {"base_url": "http://169.254.169.254"}},
        {"options": {"stop": ["x"] * 5}},
        {"options": {"think": "very"}},
        {"id": MISSING},
        {"user_id": MISSING},
        {"head_id": MISSING},
        {"created_at": "2020-01-01T00:00:00Z"},
        {"x-base-url": "http://evil.example"},
        [],
    ],
)
async def test_A21_A64_input_that_is_not_known_or_out_of_range_is_422(alice: Person, body: object) -> None:
    assert (await alice.client.post("/api/v1/conversations", json=body)).status_code == 422


async def test_only_a_known_provider_may_be_named_but_any_model_of_it(alice: Person) -> None:
    unknown = await alice.client.post("/api/v1/conversations", json={"model": "openai/gpt"})
    assert is_problem(unknown, 422, "unknown_provider")
    assert unknown.json()["errors"][0]["pointer"] == "/model"
    for name in ("not-pulled:7b", "org/model/with/slashes", "茶 馆"):
        answer = await alice.client.post("/api/v1/conversations", json={"model": f"ollama/{name}"})
        assert answer.status_code == 201 and answer.json()["model"] == f"ollama/{name}"


async def pages(alice: Person, **parameters: Any) -> list[list[str]]:
    found: list[list[str]] = []
    while True:
        page = (await alice.client.get("/api/v1/conversations", params=parameters)).json()
        found.append([item["id"] for item in page["items"]])
        assert all(item.keys() == FIELDS for item in page["items"]), "no messages inside"
        if page["next_cursor"] is None:
            return found
        parameters["cursor"] = page["next_cursor"]


async def test_pages_go_from_the_most_recently_used_without_gap_or_repeat(alice: Person, bob: Person) -> None:
    made = [await alice.conversation(title=str(n)) for n in range(7)]
    await bob.conversation()
    assert await pages(alice, limit=3) == [made[:3:-1], made[3:0:-1], made[:1]]
    assert await pages(alice) == [made[::-1]]
    assert await pages(alice, limit=7) == [made[::-1]]
    await alice.answered(made[2])
    assert (await pages(alice))[0][0] == made[2]
    await alice.client.patch(f"/api/v1/conversations/{made[5]}", json={"archived": True})
    assert await pages(alice, archived=True) == [[made[5]]]
    assert made[5] not in (await pages(alice))[0]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "limit=-1", "limit=1.5", "limit=", "limit=" + "9" * 40, "cursor=%21", "cursor=YWJj",
     "cursor=" + "A" * 201, "archived=maybe", "unknown=1", "limit=5&user_id=1", "cursor=%00", "q=x"],
)  # fmt: skip
async def test_A19_a_page_out_of_bounds_or_an_unknown_parameter_is_422(alice: Person, query: str) -> None:
    answer = await alice.client.get(f"/api/v1/conversations?{query}")
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_A19_anothers_cursor_shows_only_ones_own(alice: Person, bob: Person) -> None:
    for _ in range(3):
        await alice.conversation()
    own = await bob.conversation()
    cursor = (await alice.client.get("/api/v1/conversations?limit=1")).json()["next_cursor"]
    page = (await bob.client.get("/api/v1/conversations", params={"cursor": cursor})).json()
    assert {item["id"] for item in page["items"]} <= {own}


async def test_choosing_a_message_goes_down_to_the_newest_leaf_below(alice: Person) -> None:
    conversation_id = await alice.conversation()
    path = f"/api/v1/conversations/{conversation_id}"
    first = await alice.answered(conversation_id)
    again = await alice.client.post(f"/api/v1/messages/{first['assistant_message']['id']}/regenerate")
    await alice.ended(again.json()["job"]["id"])
    second = again.json()["assistant_message"]["id"]
    assert (await alice.client.get(path)).json()["head_id"] == second
    below = await alice.answered(conversation_id, parent_id=first["assistant_message"]["id"])
    leaf = below["assistant_message"]["id"]
    await alice.client.patch(path, json={"head_id": second})
    for chosen, expected in (
        (first["assistant_message"]["id"], leaf),
        (second, second),
        (first["user_message"]["id"], second),
        (below["user_message"]["id"], leaf),
    ):
        answer = await alice.client.patch(path, json={"head_id": chosen})
        assert answer.json()["head_id"] == expected
        window = (await alice.client.get(f"{path}/messages")).json()
        assert window["items"][-1]["id"] == expected


async def test_A16_a_foreign_or_missing_head_reads_alike(alice: Person, bob: Person) -> None:
    theirs = await bob.answered(await bob.conversation())
    path = f"/api/v1/conversations/{await alice.conversation()}"
    foreign = await alice.client.patch(path, json={"head_id": theirs["assistant_message"]["id"]})
    missing = await alice.client.patch(path, json={"head_id": MISSING})
    assert is_problem(foreign, 422, "unknown_message") and is_problem(missing, 422, "unknown_message")
    assert foreign.json()["errors"] == missing.json()["errors"]
    assert (await alice.client.patch(path, json={"head_id": "x"})).status_code == 422


async def test_deleting_ends_what_is_being_written(alice: Person) -> None:
    conversation_id = await alice.conversation()
    running = await alice.ask(conversation_id, "[[tokens=endless rate=50]]")
    waiting = await alice.ask(conversation_id, "and then?")
    assert (await alice.client.delete(f"/api/v1/conversations/{conversation_id}")).status_code == 204
    for accepted in (running, waiting):
        job = await alice.ended(accepted["job"]["id"])
        assert job["status"] == "cancelled" and job["links"]["conversation"] is None
        message = await alice.client.get(f"/api/v1/messages/{accepted['assistant_message']['id']}")
        assert is_problem(message, 404, "not_found")


async def test_the_export_holds_all_branches_as_json_and_the_one_in_view_as_markdown(alice: Person) -> None:
    conversation_id = await alice.conversation(title="Tea & “more”")
    first = await alice.answered(conversation_id, "First?")
    second = await alice.answered(conversation_id, "Second?", parent_id=None)
    path = f"/api/v1/conversations/{conversation_id}/export"
    as_json = await alice.client.get(path)
    assert as_json.headers["content-type"] == "application/json"
    disposition = f'attachment; filename="conversation-{conversation_id}.json"'
    assert as_json.headers["content-disposition"] == disposition
    body = as_json.json()
    assert body["format"] == "teahouse-conversation/1" and body["title"] == "Tea & “more”"
    ids = [message["id"] for message in body["messages"]]
    for accepted in (first, second):
        assert accepted["user_message"]["id"] in ids and accepted["assistant_message"]["id"] in ids
    assert all(m["parent_id"] is None or m["parent_id"] in ids[:n] for n, m in enumerate(body["messages"]))
    as_text = await alice.client.get(path, params={"format": "markdown"})
    assert as_text.headers["content-type"].startswith("text/markdown")
    assert "# Tea & “more”" in as_text.text and "Second?" in as_text.text and "First?" not in as_text.text
    for bad in ("format=pdf", "format=", "format=json%0a", "x=1"):
        assert (await alice.client.get(f"{path}?{bad}")).status_code == 422


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", ""), ("DELETE", ""), ("POST", f"/{MISSING}"), ("PUT", f"/{MISSING}")]
)
async def test_a_wrong_method_is_405(alice: Person, method: str, path: str) -> None:
    answer = await alice.client.request(method, f"/api/v1/conversations{path}")
    assert is_problem(answer, 405, "method_not_allowed")


async def test_A42_reading_changes_no_row(alice: Person) -> None:
    conversation_id = await alice.conversation()
    before = (await alice.client.get(f"/api/v1/conversations/{conversation_id}")).json()
    for method in ("GET", "HEAD", "OPTIONS"):
        for path in ("", "/messages", "/export"):
            for extra in ("", "?_method=DELETE"):
                headers = {"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE"}
                url = f"/api/v1/conversations/{conversation_id}{path}{extra}"
                answer = await alice.client.request(method, url, headers=headers)
                assert answer.status_code in (200, 405, 422)
                assert method != "HEAD" or not answer.content
    assert (await alice.client.get(f"/api/v1/conversations/{conversation_id}")).json() == before


async def test_two_changes_at_once_lose_neither(alice: Person) -> None:
    path = f"/api/v1/conversations/{await alice.conversation()}"
    changes: list[dict[str, Any]] = [{"title": "T"}, {"pinned": True}, {"system_prompt": "S"}, {"options": {"seed": 1}}]
    answers: list[httpx.Response] = await asyncio.gather(*(alice.client.patch(path, json=c) for c in changes))
    assert [answer.status_code for answer in answers] == [200] * 4
    body = (await alice.client.get(path)).json()
    assert (body["title"], body["pinned"], body["system_prompt"], body["options"]) == ("T", True, "S", {"seed": 1})

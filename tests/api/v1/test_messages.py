"""Read a window of the branch in view, one message, HTML; delete."""

from typing import Any

import pytest

from tests.api.answers import is_problem
from tests.api.people import MISSING, Person

FIELDS = {
    "id", "conversation_id", "parent_id", "role", "content", "thinking", "status", "finish_reason", "model", "usage",
    "error", "superseded", "sibling_ids", "job_id", "created_at",
}  # fmt: skip


async def test_a_window_shows_the_branch_newest_last(alice: Person) -> None:
    conversation_id = await alice.conversation()
    turns = [await alice.answered(conversation_id, f"Question {n} [[tokens=2]]") for n in range(4)]
    ids = [turn[which]["id"] for turn in turns for which in ("user_message", "assistant_message")]
    path = f"/api/v1/conversations/{conversation_id}/messages"
    whole = (await alice.client.get(path)).json()
    assert [item["id"] for item in whole["items"]] == ids and whole["prev_cursor"] is None
    assert all(item.keys() == FIELDS for item in whole["items"])
    assert [item["parent_id"] for item in whole["items"]] == [None, *ids[:-1]]
    seen: list[str] = []
    parameters: dict[str, Any] = {"limit": 3}
    while True:
        window = (await alice.client.get(path, params=parameters)).json()
        seen = [item["id"] for item in window["items"]] + seen
        if window["prev_cursor"] is None:
            break
        parameters["before"] = window["prev_cursor"]
    assert seen == ids


async def test_an_answer_tells_how_it_ended_and_what_it_used(alice: Person) -> None:
    accepted = await alice.answered(await alice.conversation(), "Hello [[tokens=5]]")
    message = (await alice.client.get(f"/api/v1/messages/{accepted['assistant_message']['id']}")).json()
    assert message.keys() == FIELDS
    assert (message["status"], message["finish_reason"], message["error"]) == ("complete", "stop", None)
    assert message["model"] == "ollama/scripted:latest" and message["role"] == "assistant"
    assert message["job_id"] == accepted["job"]["id"] and message["sibling_ids"] == [message["id"]]
    assert message["usage"].keys() == {
        "prompt_tokens", "completion_tokens", "ttft_ms", "tokens_per_second", "context_length",
    }  # fmt: skip
    assert message["usage"]["completion_tokens"] == 5
    question = (await alice.client.get(f"/api/v1/messages/{accepted['user_message']['id']}")).json()
    assert question["content"] == "Hello [[tokens=5]]" and question["usage"] is None and question["job_id"] is None


async def test_html_is_added_when_asked_for_and_a_persons_text_is_not_markdown(alice: Person) -> None:
    text = "<script>alert(1)</script> **not bold** [[tokens=3]]"
    accepted = await alice.answered(await alice.conversation(), text)
    for path in (
        f"messages/{accepted['user_message']['id']}",
        f"conversations/{accepted['user_message']['conversation_id']}/messages",
    ):
        plain = (await alice.client.get(f"/api/v1/{path}")).json()
        shown = (await alice.client.get(f"/api/v1/{path}?format=html")).json()
        plain, shown = plain.get("items", [plain])[0], shown.get("items", [shown])[0]
        assert "content_html" not in plain
        assert shown == {**plain, "content_html": shown["content_html"]}
        assert "<script" not in shown["content_html"] and "&lt;script&gt;" in shown["content_html"]
        assert "**not bold**" in shown["content_html"] and "<strong" not in shown["content_html"]
    answer = await alice.client.get(f"/api/v1/messages/{accepted['assistant_message']['id']}?format=html")
    assert answer.json()["content_html"].startswith("<p")


async def test_an_answer_being_written_shows_its_text_so_far(alice: Person) -> None:
    accepted = await alice.ask(await alice.conversation(), "[[tokens=endless rate=100]]")
    job_path = f"/api/v1/jobs/{accepted['job']['id']}"
    seen = 1
    shown = ""
    while not shown:
        job = (await alice.client.get(job_path, params={"wait": 10, "after": seen})).json()
        seen = job["last_event_id"]
        message = await alice.client.get(f"/api/v1/messages/{accepted['assistant_message']['id']}")
        assert message.json()["status"] == "generating"
        shown = message.json()["content"]
    window = await alice.client.get(
        f"/api/v1/conversations/{accepted['assistant_message']['conversation_id']}/messages"
    )
    assert window.json()["items"][-1]["content"].startswith(shown)
    await alice.client.post(f"{job_path}/cancel")
    await alice.ended(accepted["job"]["id"])
    stopped = (await alice.client.get(f"/api/v1/messages/{accepted['assistant_message']['id']}")).json()
    assert stopped["content"].startswith(shown), "text that was shown never disappears"
    assert (stopped["status"], stopped["finish_reason"]) == ("stopped", "cancelled")


async def test_deleting_takes_the_branch_below_along_and_the_view_moves(alice: Person) -> None:
    conversation_id = await alice.conversation()
    first = await alice.answered(conversation_id)
    second = await alice.answered(conversation_id)
    path = f"/api/v1/messages/{second['user_message']['id']}"
    gone = await alice.client.delete(path)
    assert gone.status_code == 204 and gone.content == b""
    for message in (second["user_message"], second["assistant_message"]):
        assert is_problem(await alice.client.get(f"/api/v1/messages/{message['id']}"), 404, "not_found")
    assert is_problem(await alice.client.delete(path), 404, "not_found")
    head = (await alice.client.get(f"/api/v1/conversations/{conversation_id}")).json()["head_id"]
    assert head == first["assistant_message"]["id"]
    await alice.client.delete(f"/api/v1/messages/{first['user_message']['id']}")
    assert (await alice.client.get(f"/api/v1/conversations/{conversation_id}")).json()["head_id"] is None
    assert (await alice.client.get(f"/api/v1/conversations/{conversation_id}/messages")).json() == {
        "items": [],
        "prev_cursor": None,
    }


async def test_F43_deleting_what_is_being_written_ends_its_job(alice: Person) -> None:
    accepted = await alice.ask(await alice.conversation(), "[[tokens=endless rate=100]]")
    deleted = await alice.client.delete(f"/api/v1/messages/{accepted['assistant_message']['id']}")
    assert deleted.status_code == 204
    job = await alice.ended(accepted["job"]["id"])
    assert (job["status"], job["error"]) == ("cancelled", None)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "format=pdf", "cursor=x", "format=", "before=" + "1" * 65]
)
async def test_a_window_out_of_bounds_is_422(alice: Person, query: str) -> None:
    path = f"/api/v1/conversations/{await alice.conversation()}/messages"
    assert (await alice.client.get(f"{path}?{query}")).status_code == 422


async def test_A19_a_window_before_anothers_message_is_empty(alice: Person, bob: Person) -> None:
    theirs = await bob.answered(await bob.conversation())
    conversation_id = await alice.conversation()
    await alice.answered(conversation_id)
    path = f"/api/v1/conversations/{conversation_id}/messages"
    for before in (theirs["assistant_message"]["id"], MISSING):
        answer = await alice.client.get(path, params={"before": before})
        assert answer.json() == {"items": [], "prev_cursor": None}
    for bad in ("x", "1", "%00"):
        assert (await alice.client.get(f"{path}?before={bad}")).status_code == 422


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST"])
async def test_a_wrong_method_is_405(alice: Person, method: str) -> None:
    assert is_problem(await alice.client.request(method, f"/api/v1/messages/{MISSING}"), 405, "method_not_allowed")


async def test_nothing_is_sent_below_what_its_writer_has_not_seen(alice: Person, bob: Person) -> None:
    conversation = await alice.conversation()
    first = await alice.answered(conversation)
    seen = first["assistant_message"]["id"]
    second = await alice.answered(conversation, seen_head_id=seen)
    path = f"/api/v1/conversations/{conversation}/messages"
    elsewhere = (await bob.answered(await bob.conversation()))["assistant_message"]["id"]
    for head, detail in ((seen, "2 newer messages"), (elsewhere, "changed elsewhere"), (MISSING, "changed elsewhere")):
        refused = await alice.client.post(path, json={"content": "Mine", "seen_head_id": head})
        assert is_problem(refused, 409, "newer_messages") and detail in refused.json()["detail"], refused.text
    # A request that is sent again gets its first answer, though the branch has grown since.
    headers = {"Idempotency-Key": "the-same-message"}
    body = {"content": "Mine [[tokens=1]]", "seen_head_id": second["assistant_message"]["id"]}
    sent = [await alice.client.post(path, json=body, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in sent] == [202, 202]
    assert sent[0].json()["job"]["id"] == sent[1].json()["job"]["id"]

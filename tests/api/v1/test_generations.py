"""Send, edit, regenerate, continue: 202, once, queued behind; what is refused leaves nothing."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.api.answers import is_problem
from tests.api.people import MISSING, Person
from tests.api.v1.test_messages import FIELDS
from tests.model_server import answer_for

JOB_FIELDS = {
    "id", "kind", "status", "attempt", "position", "phase", "phase_at", "progress", "result", "error",
    "reason", "retry_at", "last_event_id", "created_at", "started_at", "finished_at", "links",
}  # fmt: skip


async def content_of(person: Person, message: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await person.client.get(f"/api/v1/messages/{message['id']}")).json()
    return found


async def test_a_message_is_accepted_with_all_that_a_client_needs(alice: Person) -> None:
    conversation_id = await alice.conversation()
    prompt = "How long? [[tokens=4]]"
    answer = await alice.client.post(f"/api/v1/conversations/{conversation_id}/messages", json={"content": prompt})
    assert answer.status_code == 202
    body = answer.json()
    assert body.keys() == {"job", "user_message", "assistant_message"}
    job, question, reply = body["job"], body["user_message"], body["assistant_message"]
    assert job.keys() == JOB_FIELDS and question.keys() == FIELDS == reply.keys()
    assert answer.headers["location"] == f"/api/v1/jobs/{job['id']}"
    assert int(answer.headers["retry-after"]) >= 1
    assert "idempotency-replayed" not in answer.headers
    assert (job["kind"], job["status"], job["attempt"], job["error"]) == ("answer", "queued", 0, None)
    assert job["position"] >= 1 and job["last_event_id"] == 1
    assert job["links"] == {
        "self": f"/api/v1/jobs/{job['id']}",
        "events": f"/api/v1/jobs/{job['id']}/events",
        "cancel": f"/api/v1/jobs/{job['id']}/cancel",
        "conversation": f"/api/v1/conversations/{conversation_id}",
    }
    assert (question["role"], question["status"], question["content"], question["parent_id"]) == (
        "user", "complete", prompt, None,
    )  # fmt: skip
    assert (reply["role"], reply["status"], reply["content"]) == ("assistant", "generating", "")
    assert reply["parent_id"] == question["id"] and reply["job_id"] == job["id"]
    conversation = (await alice.client.get(f"/api/v1/conversations/{conversation_id}")).json()
    assert conversation["head_id"] == reply["id"] and conversation["title"], "a first title, from the text itself"
    ended = await alice.ended(job["id"])
    assert ended["status"] == "succeeded"
    assert ended["result"] == {"conversation_id": conversation_id, "message_id": reply["id"]}
    assert (await content_of(alice, reply))["content"] == "".join(answer_for(prompt))


async def test_a_second_message_queues_behind_the_answer_and_builds_on_it(alice: Person) -> None:
    conversation_id = await alice.conversation()
    first = await alice.ask(conversation_id, "One [[tokens=20 rate=200]]")
    second = await alice.ask(conversation_id, "Two [[tokens=2]]")
    assert second["user_message"]["parent_id"] == first["assistant_message"]["id"]
    one, two = await alice.ended(first["job"]["id"]), await alice.ended(second["job"]["id"])
    assert one["status"] == two["status"] == "succeeded"
    assert two["started_at"] >= one["finished_at"]


async def test_a_parent_is_the_leaf_in_view_a_chosen_one_or_none(alice: Person) -> None:
    conversation_id = await alice.conversation()
    first = await alice.answered(conversation_id)
    beside = await alice.answered(conversation_id, parent_id=None)
    assert beside["user_message"]["parent_id"] is None
    assert beside["user_message"]["sibling_ids"] == [first["user_message"]["id"], beside["user_message"]["id"]]
    below = await alice.answered(conversation_id, parent_id=first["assistant_message"]["id"])
    assert below["user_message"]["parent_id"] == first["assistant_message"]["id"]
    follows = await alice.answered(conversation_id)
    assert follows["user_message"]["parent_id"] == below["assistant_message"]["id"]


async def test_a_model_given_becomes_the_conversations_and_an_unknown_one_may_fail(alice: Person) -> None:
    conversation_id = await alice.conversation()
    accepted = await alice.ask(conversation_id, "Hello", model="ollama/not-pulled:7b")
    conversation = (await alice.client.get(f"/api/v1/conversations/{conversation_id}")).json()
    assert conversation["model"] == "ollama/not-pulled:7b"
    job = await alice.ended(accepted["job"]["id"])
    assert (job["status"], job["error"]["code"]) == ("failed", "model_not_found")
    assert job["error"].keys() == {"code", "message", "retryable"}
    message = await content_of(alice, accepted["assistant_message"])
    assert message["status"] == "failed" and message["error"] == job["error"]
    path = f"/api/v1/conversations/{conversation_id}/messages"
    refused = await alice.client.post(path, json={"content": "x", "model": "openai/gpt"})
    assert is_problem(refused, 422, "unknown_provider")


async def test_without_any_model_the_first_of_the_list_answers(alice: Person) -> None:
    accepted = await alice.answered(await alice.conversation(model=None))
    assert accepted["assistant_message"]["model"] == "ollama/scripted:latest"
    await alice.client.patch("/api/v1/auth/me", json={"default_model": "ollama/thinker:latest"})
    accepted = await alice.answered(await alice.conversation(model=None))
    assert accepted["assistant_message"]["model"] == "ollama/thinker:latest"


async def test_editing_and_regenerating_make_siblings_and_overwrite_nothing(alice: Person) -> None:
    conversation_id = await alice.conversation()
    first = await alice.answered(conversation_id, "First? [[tokens=3]]")
    question, reply = first["user_message"], first["assistant_message"]
    edited = await alice.client.post(
        f"/api/v1/messages/{question['id']}/edit", json={"content": "Better? [[tokens=3]]"}
    )
    assert edited.status_code == 202 and edited.headers["location"].endswith(edited.json()["job"]["id"])
    assert edited.json()["user_message"]["sibling_ids"] == [question["id"], edited.json()["user_message"]["id"]]
    await alice.ended(edited.json()["job"]["id"])
    again = await alice.client.post(
        f"/api/v1/messages/{reply['id']}/regenerate", json={"model": "ollama/thinker:latest", "options": {"seed": 7}}
    )
    assert again.status_code == 202
    assert again.json()["user_message"]["id"] == question["id"], "the parent"
    assert again.json()["assistant_message"]["sibling_ids"] == [reply["id"], again.json()["assistant_message"]["id"]]
    assert again.json()["assistant_message"]["model"] == "ollama/thinker:latest"
    await alice.ended(again.json()["job"]["id"])
    bare = await alice.client.post(f"/api/v1/messages/{reply['id']}/regenerate")
    assert bare.status_code == 202 and len(bare.json()["assistant_message"]["sibling_ids"]) == 3
    await alice.ended(bare.json()["job"]["id"])
    assert (await content_of(alice, question))["content"] == "First? [[tokens=3]]"
    assert (await content_of(alice, reply))["content"] == "".join(answer_for("First? [[tokens=3]]"))


async def test_a_verb_fits_the_role_of_its_message(alice: Person) -> None:
    first = await alice.answered(await alice.conversation())
    question, reply = (f"/api/v1/messages/{first[which]['id']}" for which in ("user_message", "assistant_message"))
    edit = await alice.client.post(f"{reply}/edit", json={"content": "x"})
    assert is_problem(edit, 409, "not_editable")
    assert is_problem(await alice.client.post(f"{question}/regenerate"), 409, "not_an_answer")
    assert is_problem(await alice.client.post(f"{question}/continue"), 409, "not_an_answer")
    assert is_problem(await alice.client.post(f"{reply}/continue"), 409, "not_continuable")


@pytest.mark.parametrize("how", ["cancelled", "length"])
async def test_continuing_goes_on_with_the_same_message_by_a_new_job(alice: Person, how: str) -> None:
    conversation_id = await alice.conversation()
    prompt = "Go on [[tokens=60 rate=100]]"
    options = {"max_tokens": 10} if how == "length" else {}
    first = await alice.ask(conversation_id, prompt, options=options)
    if how == "cancelled":
        job, seen = first["job"], 1
        while job["last_event_id"] < 4:
            url = f"/api/v1/jobs/{first['job']['id']}"
            job = (await alice.client.get(url, params={"wait": 5, "after": seen})).json()
            seen = job["last_event_id"]
        await alice.client.post(f"/api/v1/jobs/{first['job']['id']}/cancel")
    await alice.ended(first["job"]["id"])
    before = await content_of(alice, first["assistant_message"])
    assert before["finish_reason"] == how and before["content"]
    path = f"/api/v1/messages/{before['id']}/continue"
    more = await alice.client.post(path)
    assert more.status_code == 202
    accepted = more.json()
    assert accepted["assistant_message"]["id"] == before["id"] and accepted["job"]["id"] != first["job"]["id"]
    assert accepted["assistant_message"]["status"] == "generating"
    assert accepted["assistant_message"]["content"] == before["content"], "text that was shown stays"
    events = (await alice.client.get(f"/api/v1/jobs/{accepted['job']['id']}?after=0")).json()["events"]
    assert (events[0]["id"], events[0]["event"]) == (1, "snapshot")
    assert events[0]["data"]["content"] == before["content"]
    await alice.ended(accepted["job"]["id"])
    after = await content_of(alice, before)
    assert after["content"] == "".join(answer_for(prompt)) and after["status"] == "complete"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"content": ""},
        {"content": " \n\t "},
        {"content": "x" * 100_001},
        {"content": 5},
        {"content": None},
        {"content": "a\0b"},
        {"content": "x", "parent_id": "x"},
        {"content": "x", "parent_id": 5},
        {"content": "x", "role": "system"},
        {"content": "x", "status": "complete"},
        {"content": "x", "user_id": MISSING},
        {"content": "x", "options": {"num_ctx": 10**9}},
        {"content": "x", "options": {"n": 100}},
        {"content": "x", "options": {"max_tokens": 10**9}},
        {"content": "x", "options": {"temperature": "hot"}},
        {"content": "x", "model": "http://evil.example/x"},
        {"content": "x", "attachment_ids": []},
        [],
        None,
        "text",
    ],
)
async def test_A21_what_is_refused_leaves_nothing(alice: Person, body: object) -> None:
    conversation_id = await alice.conversation()
    answer = await alice.client.post(f"/api/v1/conversations/{conversation_id}/messages", json=body)
    assert answer.status_code == 422
    assert (await alice.client.get(f"/api/v1/conversations/{conversation_id}/messages")).json()["items"] == []


async def test_A16_a_foreign_or_missing_parent_reads_alike(alice: Person, bob: Person) -> None:
    theirs = await bob.answered(await bob.conversation())
    path = f"/api/v1/conversations/{await alice.conversation()}/messages"
    other = (await alice.answered(await alice.conversation()))["user_message"]["id"]
    answers = [
        await alice.client.post(path, json={"content": "x", "parent_id": parent})
        for parent in (theirs["assistant_message"]["id"], MISSING, other)
    ]
    for answer in answers:
        assert is_problem(answer, 422, "unknown_message")
        assert answer.json()["errors"] == answers[0].json()["errors"]


@pytest.mark.parametrize("verb", ["edit", "regenerate", "continue"])
async def test_a_wrong_method_is_405(alice: Person, verb: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = await alice.client.request(method, f"/api/v1/messages/{MISSING}/{verb}")
        assert is_problem(answer, 405, "method_not_allowed")


async def test_messages_sent_at_once_are_all_accepted_and_answered_in_turn(alice: Person) -> None:
    conversation_id = await alice.conversation()
    accepted = await asyncio.gather(*(alice.ask(conversation_id, f"{n} [[tokens=2]]") for n in range(8)))
    jobs = await asyncio.gather(*(alice.ended(item["job"]["id"]) for item in accepted))
    assert {job["status"] for job in jobs} == {"succeeded"}
    window: httpx.Response = await alice.client.get(f"/api/v1/conversations/{conversation_id}/messages")
    assert len(window.json()["items"]) == 16, "one branch"

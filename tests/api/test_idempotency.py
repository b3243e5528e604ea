"""The same key, the same answer, one job. (F31, A20, reliability.md 2.5)"""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.answers import is_problem
from tests.api.people import Person, person
from tests.api.rows import row_counts, rows_of
from tests.api.serving import Served, serving


async def send(who: Person, path: str, key: str, body: Any) -> httpx.Response:
    return await who.client.post(f"/api/v1/{path}", json=body, headers={"Idempotency-Key": key})


async def test_F31_fifty_at_once_with_one_key_are_one_job_and_fifty_times_the_same_answer(
    alice: Person, served: Served
) -> None:
    conversation_id = await alice.conversation()
    before = await row_counts(served.services.database)
    path, body = f"conversations/{conversation_id}/messages", {"content": "Once [[tokens=2]]"}
    answers = await asyncio.gather(*(send(alice, path, "fifty", body) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["location"] for answer in answers}) == 1
    replayed = [answer.headers.get("idempotency-replayed") for answer in answers]
    assert sorted(map(str, replayed)) == ["None"] + ["true"] * 49
    assert all(answer.headers["retry-after"] for answer in answers)
    job_id = answers[0].json()["job"]["id"]
    await alice.ended(job_id)
    again = await send(alice, path, "fifty", body)
    assert again.content == answers[0].content, "also after the answer's end"
    after = await row_counts(served.services.database)
    assert after["messages"] - before["messages"] == 2
    assert after["idempotency_keys"] - before["idempotency_keys"] == 1
    jobs = (await alice.client.get("/api/v1/jobs?kind=answer")).json()["items"]
    assert [job["id"] for job in jobs] == [job_id]


async def test_F31_racing_keys_with_different_bodies_accept_one(alice: Person) -> None:
    path = f"conversations/{await alice.conversation()}/messages"
    answers = await asyncio.gather(*(send(alice, path, "race", {"content": f"{n} [[tokens=1]]"}) for n in range(20)))
    assert sorted(answer.status_code for answer in answers) == [202] + [422] * 19
    for answer in answers:
        assert answer.status_code == 202 or is_problem(answer, 422, "idempotency_mismatch")


async def test_A20_a_key_is_its_users_own(alice: Person, bob: Person) -> None:
    hers, his = await alice.conversation(), await bob.conversation()
    body = {"content": "Mine [[tokens=1]]"}
    first = await send(alice, f"conversations/{hers}/messages", "shared", body)
    other = await send(bob, f"conversations/{his}/messages", "shared", body)
    assert first.status_code == other.status_code == 202
    assert first.json()["job"]["id"] != other.json()["job"]["id"]
    assert "idempotency-replayed" not in other.headers
    stranger = await send(bob, f"conversations/{hers}/messages", "another", body)
    assert is_problem(stranger, 404, "not_found")


async def test_A20_a_key_stands_for_one_method_path_and_body(alice: Person) -> None:
    conversation_id = await alice.conversation()
    path = f"conversations/{conversation_id}/messages"
    first = await send(alice, path, "k", {"content": "x [[tokens=1]]"})
    message = first.json()
    await alice.ended(message["job"]["id"])
    for other, body in (
        (path, {"content": "y [[tokens=1]]"}),
        (path, {"content": "x [[tokens=1]]", "parent_id": None}),
        (f"conversations/{await alice.conversation()}/messages", {"content": "x [[tokens=1]]"}),
        (f"messages/{message['assistant_message']['id']}/regenerate", {}),
        (f"messages/{message['user_message']['id']}/edit", {"content": "x [[tokens=1]]"}),
    ):
        assert is_problem(await send(alice, other, "k", body), 422, "idempotency_mismatch")


@pytest.mark.parametrize("verb", ["edit", "regenerate", "continue"])
async def test_every_verb_that_makes_a_job_keeps_its_key(alice: Person, verb: str) -> None:
    accepted = await alice.answered(await alice.conversation(), "[[tokens=40]]", options={"max_tokens": 2})
    which = "user_message" if verb == "edit" else "assistant_message"
    path = f"messages/{accepted[which]['id']}/{verb}"
    body = {"content": "Better [[tokens=1]]"} if verb == "edit" else None
    answers = await asyncio.gather(*(send(alice, path, verb, body) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}, answers[0].text
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é"])
async def test_a_bad_key_is_400(alice: Person, key: str) -> None:
    path = f"/api/v1/conversations/{await alice.conversation()}/messages"
    headers = {b"Idempotency-Key": key.encode()}
    answer = await alice.client.post(path, json={"content": "x"}, headers=headers)
    assert is_problem(answer, 400, "bad_idempotency_key")


async def test_the_longest_key_is_as_good_as_any(alice: Person) -> None:
    path = f"conversations/{await alice.conversation()}/messages"
    assert (await send(alice, path, "~" * 255, {"content": "x [[tokens=1]]"})).status_code == 202


async def test_a_replay_is_never_refused_by_a_limit_and_a_refusal_uses_no_key(tmp_path: Path) -> None:
    with serving(tmp_path / "data", max_queued_per_user=2, model_slots=1) as narrow:
        alice = await person(narrow, "alice")
        path = f"conversations/{await alice.conversation()}/messages"
        first = await send(alice, path, "first", {"content": "[[first=60000]]"})
        job = first.json()["job"]
        while job["status"] == "queued":
            job = (await alice.client.get(f"/api/v1/jobs/{job['id']}?wait=5&after=1")).json()
        for n in range(2):
            assert (await send(alice, path, f"more-{n}", {"content": "x"})).status_code == 202
        before = await row_counts(narrow.services.database)
        refused = await send(alice, path, "late", {"content": "x"})
        assert is_problem(refused, 429, "queue_full") and 1 <= int(refused.headers["retry-after"]) <= 60
        assert (await send(alice, path, "first", {"content": "[[first=60000]]"})).content == first.content
        assert await row_counts(narrow.services.database) == before, "nothing half-made"
        await narrow.run(lambda: narrow.services.endings.cancel_all(alice.id))
        assert (await send(alice, path, "late", {"content": "x"})).status_code == 202, "the key was not used up"
        await narrow.run(lambda: narrow.services.endings.cancel_all(alice.id))
        await alice.client.aclose()


async def test_what_a_key_remembers_goes_with_its_conversation(alice: Person, served: Served) -> None:
    conversation_id = await alice.conversation()
    path, body = f"conversations/{conversation_id}/messages", {"content": "to be forgotten [[tokens=1]]"}
    accepted = await send(alice, path, "gone", body)
    await alice.ended(accepted.json()["job"]["id"])
    await alice.client.delete(f"/api/v1/conversations/{conversation_id}")
    assert is_problem(await send(alice, path, "gone", body), 404, "not_found")
    statement = "SELECT count(*) FROM idempotency_keys WHERE body LIKE '%to be forgotten%'"
    assert await rows_of(served.services.database, statement) == [(0,)]

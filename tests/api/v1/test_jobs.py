"""A job's state and events by long poll; the list; cancelling."""

import asyncio
import time
from typing import Any

import pytest

from tests.api.answers import is_problem
from tests.api.event_stream import all_events
from tests.api.people import MISSING, Person
from tests.model_server import answer_for

ENDLESS = "[[tokens=endless rate=50]]"


async def poll(person: Person, job_id: str, **parameters: Any) -> dict[str, Any]:
    answer = await person.client.get(f"/api/v1/jobs/{job_id}", params=parameters, timeout=40)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def cancel(person: Person, job_id: str) -> None:
    assert (await person.client.post(f"/api/v1/jobs/{job_id}/cancel")).status_code == 202
    await person.ended(job_id)


async def test_wait_alone_holds_until_the_job_ends_and_tells_no_events(alice: Person) -> None:
    accepted = await alice.ask(await alice.conversation(), "[[tokens=10 rate=50]]")
    now = await poll(alice, accepted["job"]["id"])
    assert now["status"] in ("queued", "running") and "events" not in now
    ended = await poll(alice, accepted["job"]["id"], wait=20)
    assert ended["status"] == "succeeded" and "events" not in ended
    assert ended["started_at"] and ended["finished_at"] and ended["position"] is None


async def test_wait_runs_out_with_the_job_as_it_is(alice: Person) -> None:
    accepted = await alice.ask(await alice.conversation(), "[[tokens=5 first=60000]]")
    began = time.monotonic()
    assert (await poll(alice, accepted["job"]["id"], wait=1))["status"] == "running"
    assert 0.9 < time.monotonic() - began < 3
    await cancel(alice, accepted["job"]["id"])


async def test_after_holds_until_there_is_something_newer_and_tells_it(alice: Person) -> None:
    accepted = await alice.ask(await alice.conversation(), "[[tokens=12 rate=60]]")
    job_id, seen, events = accepted["job"]["id"], 0, []
    for _ in range(100):
        job = await poll(alice, job_id, wait=10, after=seen)
        assert job["events"], "held until there was something"
        assert all(event["id"] is None or event["id"] > seen for event in job["events"])
        events += job["events"]
        seen = max(event["id"] for event in job["events"] if event["id"])
        if job["events"][-1]["event"] == "done":
            break
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert "".join(e["data"]["text"] for e in events if e["event"] == "delta") == "".join(
        answer_for("[[tokens=12 rate=60]]")
    )
    assert events[0]["event"] == "status" and events[-1]["data"]["job"]["status"] == "succeeded"
    assert events[-1]["data"]["message"]["id"] == accepted["assistant_message"]["id"]
    streamed = await all_events(alice.client, job_id)
    assert [e.event for e in streamed] in (["snapshot", "done"], [e["event"] for e in events]), "the same events"
    nothing = await poll(alice, job_id, after=seen)
    assert [event["event"] for event in nothing["events"]] == ["done"], "an ended job always ends with done"


async def test_a_position_past_the_end_gets_a_snapshot(alice: Person) -> None:
    accepted = await alice.answered(await alice.conversation(), "[[tokens=5]]")
    events = (await poll(alice, accepted["job"]["id"], after=9999))["events"]
    assert [event["event"] for event in events] == ["snapshot", "done"]
    assert events[0]["data"] == {"content": "".join(answer_for("[[tokens=5]]")), "thinking": ""}
    running = await alice.ask(await alice.conversation(), ENDLESS)
    events = (await poll(alice, running["job"]["id"], after=9999, wait=5))["events"]
    assert events[0]["event"] == "snapshot"
    await cancel(alice, running["job"]["id"])


@pytest.mark.parametrize("position", ["x", "-1", "1.5", "+1", " 1", "1e3", "9" * 17, "0x1", "１", "%00", "1,2"])
async def test_a_malformed_position_is_400(alice: Person, position: str) -> None:
    accepted = await alice.answered(await alice.conversation(), "[[tokens=1]]")
    for path in (f"/api/v1/jobs/{accepted['job']['id']}", f"/api/v1/jobs/{accepted['job']['id']}/events"):
        answer = await alice.client.get(f"{path}?after={position.replace('+', '%2B').replace(' ', '%20')}")
        assert answer.status_code == (422 if position == "%00" else 400), path


@pytest.mark.parametrize("query", ["wait=31", "wait=-1", "wait=x", "format=pdf", "limit=5", "cursor=x", "all=true"])
async def test_a_parameter_out_of_bounds_is_422(alice: Person, query: str) -> None:
    accepted = await alice.answered(await alice.conversation(), "[[tokens=1]]")
    answer = await alice.client.get(f"/api/v1/jobs/{accepted['job']['id']}?{query}")
    assert answer.status_code == 422 and answer.headers["content-type"] == "application/problem+json"


async def test_html_comes_in_place_of_deltas(alice: Person) -> None:
    accepted = await alice.answered(await alice.conversation(), "[[tokens=6]]")
    job_id = accepted["job"]["id"]
    blocks: list[str] = []
    for event in (await poll(alice, job_id, after=0, format="html"))["events"]:
        assert event["event"] != "delta"
        if event["event"] == "html":
            blocks[event["data"]["from"] :] = event["data"]["blocks"]
    message = await alice.client.get(f"/api/v1/messages/{accepted['assistant_message']['id']}?format=html")
    assert "".join(blocks) == message.json()["content_html"]


async def test_cancelling_keeps_the_text_and_is_idempotent(alice: Person) -> None:
    accepted = await alice.ask(await alice.conversation(), ENDLESS)
    job_id = accepted["job"]["id"]
    seen = 1
    while seen < 4:
        seen = (await poll(alice, job_id, wait=5, after=seen))["last_event_id"]
    began = time.monotonic()
    first = await alice.client.post(f"/api/v1/jobs/{job_id}/cancel")
    assert first.status_code == 202 and first.json()["id"] == job_id
    ended = await alice.ended(job_id)
    assert time.monotonic() - began < 2
    assert (ended["status"], ended["error"]) == ("cancelled", None)
    message = (await alice.client.get(f"/api/v1/messages/{accepted['assistant_message']['id']}")).json()
    assert (message["status"], message["finish_reason"], message["error"]) == ("stopped", "cancelled", None)
    assert message["content"]
    for _ in range(2):
        again = await alice.client.post(f"/api/v1/jobs/{job_id}/cancel")
        assert again.status_code == 202 and again.json() == ended


async def test_cancelling_a_waiting_job_ends_it_at_once(alice: Person) -> None:
    conversation_id = await alice.conversation()
    running = await alice.ask(conversation_id, ENDLESS)
    waiting = await alice.ask(conversation_id, "never asked")
    answer = await alice.client.post(f"/api/v1/jobs/{waiting['job']['id']}/cancel")
    assert (answer.status_code, answer.json()["status"], answer.json()["position"]) == (202, "cancelled", None)
    await cancel(alice, running["job"]["id"])


async def test_the_list_is_newest_first_filtered_and_ones_own(alice: Person, bob: Person, dana: Person) -> None:
    conversation_id = await alice.conversation()
    made = [(await alice.answered(conversation_id, f"{n} [[tokens=1]]"))["job"]["id"] for n in range(3)]
    theirs = (await bob.answered(await bob.conversation()))["job"]["id"]

    async def listed(person: Person, **parameters: Any) -> list[str]:
        page = (await person.client.get("/api/v1/jobs", params=parameters)).json()
        return [item["id"] for item in page["items"]]

    assert await listed(alice, kind="answer") == made[::-1]
    assert await listed(alice, kind="answer", status="succeeded") == made[::-1]
    assert await listed(alice, status="failed") == []
    assert await listed(bob, kind="answer") == [theirs]
    everybodys = await listed(dana, all=True, limit=100, kind="answer")
    assert {*made, theirs} <= set(everybodys)
    assert is_problem(await alice.client.get("/api/v1/jobs?all=true"), 403, "insufficient_scope")
    first = (await alice.client.get("/api/v1/jobs?limit=2&kind=answer")).json()
    rest = (await alice.client.get(f"/api/v1/jobs?limit=2&kind=answer&cursor={first['next_cursor']}")).json()
    assert [item["id"] for item in [*first["items"], *rest["items"]]] == made[::-1] and rest["next_cursor"] is None


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "status=done", "kind=x", "cursor=x", "all=maybe", "wait=1", "user_id=1"]
)
async def test_a_list_out_of_bounds_is_422(alice: Person, query: str) -> None:
    assert (await alice.client.get(f"/api/v1/jobs?{query}")).status_code == 422


async def test_A15_a_stranger_does_not_wait_for_a_404(alice: Person, bob: Person) -> None:
    accepted = await alice.ask(await alice.conversation(), ENDLESS)
    began = time.monotonic()
    for job_id in (accepted["job"]["id"], MISSING):
        for query in ("?wait=20", "?wait=20&after=0", "/events", "/events?after=1", ""):
            answer = await bob.client.get(f"/api/v1/jobs/{job_id}{query}")
            assert is_problem(answer, 404, "not_found")
        assert is_problem(await bob.client.post(f"/api/v1/jobs/{job_id}/cancel"), 404, "not_found")
    assert time.monotonic() - began < 3
    assert (await poll(alice, accepted["job"]["id"]))["status"] in ("queued", "running")
    await cancel(alice, accepted["job"]["id"])


async def test_positions_are_visible_while_waiting(alice: Person) -> None:
    conversation_id = await alice.conversation()
    running = await alice.ask(conversation_id, ENDLESS)
    waiting = [await alice.ask(conversation_id, f"{n} [[tokens=1]]") for n in range(3)]
    jobs = await asyncio.gather(*(poll(alice, item["job"]["id"]) for item in waiting))
    assert [job["status"] for job in jobs] == ["queued"] * 3
    positions = [job["position"] for job in jobs]
    assert positions == sorted(positions) and positions[0] >= 1
    await cancel(alice, running["job"]["id"])
    await asyncio.gather(*(alice.ended(item["job"]["id"]) for item in waiting))


@pytest.mark.parametrize(
    ("method", "path"), [("POST", ""), ("PUT", f"/{MISSING}"), ("DELETE", f"/{MISSING}"), ("GET", f"/{MISSING}/cancel")]
)
async def test_a_wrong_method_is_405(alice: Person, method: str, path: str) -> None:
    assert is_problem(await alice.client.request(method, f"/api/v1/jobs{path}"), 405, "method_not_allowed")

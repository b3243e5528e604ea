"""A person's own changes, live: as events, by long poll, from any position."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.clock import utcnow
from app.db.types import to_text
from app.feed.feed import KEPT_FOR, MOST_EVENTS, Pruner
from tests.api.event_stream import Event, Stream
from tests.api.people import Person
from tests.api.serving import Served

SLOW = "[[tokens=5 first=60000]]"


async def poll(person: Person, after: int | None = None, wait: int = 0) -> dict[str, Any]:
    parameters = {"wait": wait} if after is None else {"wait": wait, "after": after}
    answer = await person.client.get("/api/v1/events", params=parameters, timeout=40)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def news(person: Person, after: int, until: Any, seconds: float = 10.0) -> list[dict[str, Any]]:
    """Everything after a position, until one is as wanted."""
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + seconds
    while not any(until(event) for event in found):
        assert time.monotonic() < deadline, found
        told = await poll(person, after, wait=2)
        assert all(event["id"] > after for event in told["events"])
        after, found = told["last_event_id"], [*found, *told["events"]]
    return found


@asynccontextmanager
async def following(person: Person, after: int | None = None) -> AsyncIterator[Stream]:
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    async with person.client.stream("GET", "/api/v1/events", headers=headers, timeout=30) as response:
        assert response.status_code == 200, await response.aread()
        yield Stream(response)


async def first(stream: Stream, count: int) -> list[Event]:
    events: list[Event] = []
    async with asyncio.timeout(10):
        async for event in stream:
            events.append(event)
            if len(events) == count:
                break
    return events


async def change(served: Served, *statements: str) -> None:
    """In one transaction."""
    async with served.services.database.transaction() as session:
        for statement in statements:
            await session.execute(text(statement))


def ended(event: dict[str, Any]) -> bool:
    return bool(
        event["event"] == "job" and event["data"]["status"] == "succeeded" and event["data"]["kind"] == "answer"
    )


async def test_an_answer_is_told_from_its_question_to_its_end(alice: Person) -> None:
    start = (await poll(alice))["last_event_id"]
    conversation = await alice.conversation()
    accepted = await alice.ask(conversation, "[[tokens=3]]")
    found = await news(alice, start, ended)
    changes = [e["data"] for e in found if e["event"] == "conversation"]
    assert [change["change"] for change in changes[:2]] == ["made", "changed"]
    assert {change["id"] for change in changes} == {conversation}
    assert changes[1]["head_id"] == accepted["assistant_message"]["id"]
    shown = (await alice.client.get(f"/api/v1/conversations/{conversation}")).json()
    assert changes[-1]["updated_at"] == shown["updated_at"]
    job = [e["data"] for e in found if e["event"] == "job" and e["data"]["id"] == accepted["job"]["id"]]
    assert job[0]["status"] == "queued" and job[-1]["status"] == "succeeded"
    assert "running" in [told["status"] for told in job]
    assert all(told["conversation_id"] == conversation and told["kind"] == "answer" for told in job)
    assert set(job[0]) == {"id", "kind", "conversation_id", "status", "phase", "position", "reason", "retry_at"}


async def test_every_change_of_a_conversation_is_told(alice: Person) -> None:
    conversation = await alice.conversation()
    start = (await poll(alice))["last_event_id"]
    path = f"/api/v1/conversations/{conversation}"
    for change in ({"title": "Tea"}, {"pinned": True}, {"archived": True}, {"system_prompt": "Be brief."}):
        assert (await alice.client.patch(path, json=change)).status_code == 200
    assert (await alice.client.delete(path)).status_code == 204
    found = await news(alice, start, lambda event: event["data"].get("change") == "deleted")
    assert [event["data"]["change"] for event in found] == ["changed"] * 4 + ["deleted"]
    numbers = [event["id"] for event in found]
    assert numbers == sorted(set(numbers))


async def test_what_waits_says_where(alice: Person) -> None:
    start = (await poll(alice))["last_event_id"]
    conversation = await alice.conversation()
    await alice.ask(conversation, SLOW)
    second = await alice.ask(conversation, SLOW)
    found = await news(alice, start, lambda event: event["data"]["id"] == second["job"]["id"])
    assert (found[-1]["data"]["status"], found[-1]["data"]["position"]) == ("queued", 1)


async def test_nobody_hears_of_others(alice: Person, bob: Person) -> None:
    start = (await poll(bob))["last_event_id"]
    await alice.conversation()
    mine = await bob.conversation()
    found = await news(bob, start, lambda event: event["data"].get("change") == "made")
    assert [event["data"]["id"] for event in found] == [mine]


async def test_a_stream_tells_the_same_and_goes_on_from_any_event(alice: Person) -> None:
    async with following(alice) as stream:
        mine = [await alice.conversation() for _ in range(3)]
        events = await first(stream, 3)
    assert [(event.event, event.data["id"]) for event in events] == [("conversation", id) for id in mine]
    assert events[0].id is not None
    async with following(alice, events[0].id) as stream:
        assert await first(stream, 2) == events[1:]
    polled = await poll(alice, events[0].id)
    assert [event["id"] for event in polled["events"]] == [event.id for event in events[1:]]


async def test_a_stream_begins_with_its_position(alice: Person) -> None:
    async with following(alice) as stream, asyncio.timeout(5):
        async for line in stream.response.aiter_lines():
            if line.startswith("id: "):
                break
    number = int(line.removeprefix("id: "))
    made = await alice.conversation()
    found = await news(alice, number, lambda event: True)
    assert found[0]["data"]["id"] == made


async def test_many_who_write_at_once_lose_no_event(alice: Person, bob: Person) -> None:
    start = (await poll(alice))["last_event_id"]
    async with following(alice) as stream:
        made = await asyncio.gather(*(person.conversation() for _ in range(25) for person in (alice, bob)))
        mine = set(made[::2])
        events = await first(stream, 25)
    assert {event.data["id"] for event in events} == mine
    after, seen = start, list[dict[str, Any]]()
    while len(seen) < 25:
        told = await poll(alice, after, wait=2)
        after, seen = told["last_event_id"], [*seen, *told["events"]]
    assert {event["data"]["id"] for event in seen} == mine


async def test_a_wait_ends_with_the_first_event_or_with_its_time(alice: Person) -> None:
    start = (await poll(alice))["last_event_id"]
    began = time.monotonic()
    assert (await poll(alice, start, wait=1))["events"] == []
    assert 0.9 < time.monotonic() - began < 5
    waiting = asyncio.create_task(poll(alice, start, wait=20))
    await asyncio.sleep(0.2)
    await alice.conversation()
    async with asyncio.timeout(5):
        assert len((await waiting)["events"]) == 1


async def test_a_position_that_is_not_kept_any_more_is_reset(alice: Person, served: Served) -> None:
    await alice.conversation()
    last = (await poll(alice))["last_event_id"]
    await served.run(lambda: change(served, "DELETE FROM user_events WHERE id <= (SELECT min(id) FROM user_events)"))
    for position in (last + 10**9, 0):
        told = await poll(alice, position)
        assert [event["event"] for event in told["events"]] == ["reset"], position
        assert told["last_event_id"] >= last
        async with following(alice, position) as stream:
            assert (await first(stream, 1))[0].event == "reset"


async def test_only_what_is_older_than_a_day_is_forgotten(alice: Person, served: Served) -> None:
    old, new = await alice.conversation(), await alice.conversation()
    then = to_text(utcnow() - KEPT_FOR - timedelta(minutes=1))
    await served.run(lambda: change(served, f"UPDATE user_events SET created_at = '{then}' WHERE data LIKE '%{old}%'"))
    await served.run(lambda: served.services.engine.log.run(Pruner()))
    kept = await served.run(lambda: served.services.database.lookup.all("SELECT data FROM user_events", {}))
    assert not [data for (data,) in kept if old in data]
    assert [data for (data,) in kept if new in data]


async def test_who_missed_too_much_starts_anew(alice: Person, served: Served) -> None:
    start = (await poll(alice))["last_event_id"]
    conversation = await alice.conversation()
    title = f"UPDATE conversations SET title = title || '.' WHERE id = '{conversation}'"
    await served.run(lambda: change(served, *[title] * (MOST_EVENTS + 1)))
    found = await news(alice, start, lambda event: event["event"] == "reset")
    assert len(found) < 3


@pytest.mark.parametrize("position", ["-1", "x", "1e3", "9" * 17])
async def test_a_position_that_is_none_is_refused(alice: Person, position: str) -> None:
    answer = await alice.client.get("/api/v1/events", params={"after": position, "wait": 0})
    assert answer.status_code == 400 and answer.json()["type"] == "urn:teahouse:bad_position"


async def test_who_is_signed_out_gets_no_further_event(
    alice: Person, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.feed.feed.RIGHT_CHECK_SECONDS", 0.0)
    conversation = await alice.conversation()
    async with following(alice) as stream, asyncio.timeout(10):
        assert (await alice.client.post("/api/v1/auth/logout")).status_code == 204
        await served.run(lambda: change(served, f"UPDATE conversations SET title = 'x' WHERE id = '{conversation}'"))
        assert [event async for event in stream] == []


@pytest.mark.postgresql
async def test_an_event_waits_for_transactions_that_began_before_it(alice: Person, served: Served) -> None:
    """Otherwise a viewer that has seen the later number would never get the earlier one."""
    first, second = await alice.conversation(), await alice.conversation()
    start = (await poll(alice))["last_event_id"]
    renamed = "UPDATE conversations SET title = 'renamed' WHERE id = '{}'"
    connection = await asyncio.to_thread(served.services.database.connect, write=True)
    try:
        connection.execute("BEGIN")
        connection.execute(renamed.format(first))
        await served.run(lambda: change(served, renamed.format(second)))
        assert (await poll(alice, start, wait=1))["events"] == []
        connection.execute("COMMIT")
    finally:
        connection.close()
    found = await news(alice, start, lambda event: event["data"]["id"] == second)
    assert [event["data"]["id"] for event in found] == [first, second]

"""The stream over a real connection: resumable everywhere, limited, and over when the right is lost."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from tests.api.answers import is_problem
from tests.api.event_stream import Event, all_events, replay, stream_of
from tests.api.people import Person, bearer, person, sign_in
from tests.api.serving import Served, serving
from tests.factories.accounts import PASSWORD
from tests.model_server import answer_for, thinking_for

THINKING = "[[think=5 tokens=12 rate=150]]"
ENDLESS = "[[tokens=endless rate=50]]"


async def test_the_headers_keep_proxies_from_holding_it_back(alice: Person) -> None:
    accepted = await alice.answered(await alice.conversation())
    async with stream_of(alice.client, accepted["job"]["id"]) as stream:
        headers = stream.response.headers
        [event async for event in stream]
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["x-accel-buffering"] == "no" and "no-store" in headers["cache-control"]
    assert stream.retry and 500 <= stream.retry <= 2000


async def test_I5_a_viewer_from_the_start_sees_every_event_once_in_order(alice: Person) -> None:
    accepted = await alice.ask(await alice.conversation(), THINKING)
    events = await all_events(alice.client, accepted["job"]["id"])
    numbered = [event for event in events if event.id is not None]
    assert [event.id for event in numbered] == list(range(1, len(numbered) + 1))
    assert events[-1].event == "done" and [event.event for event in events].count("done") == 1
    assert {event.event for event in events} <= {"status", "thinking", "delta", "usage", "done"}
    expected = ("".join(answer_for(THINKING)), "".join(thinking_for(THINKING)))
    assert replay(events) == expected
    message = events[-1].data["message"]
    assert (message["content"], message["thinking"]) == expected
    assert events[-1].data["job"]["status"] == "succeeded"
    usage = next(event for event in events if event.event == "usage")
    assert usage.data == message["usage"]


async def test_I5_a_stream_is_resumed_at_every_position_while_it_is_written(alice: Person) -> None:
    accepted = await alice.ask(await alice.conversation(), THINKING)
    job_id = accepted["job"]["id"]
    seen: list[Event] = []
    while not seen or seen[-1].event != "done":  # leave after each event, come back by its number
        last = str(seen[-1].id) if seen else None
        async with stream_of(alice.client, job_id, last_event_id=last) as stream:
            async for event in stream:
                if event.id is not None:
                    seen.append(event)
                    break
    assert [event.id for event in seen] == list(range(1, len(seen) + 1))
    assert replay(seen) == ("".join(answer_for(THINKING)), "".join(thinking_for(THINKING)))


async def test_I5_a_stream_is_resumed_at_every_position_when_it_has_ended(alice: Person) -> None:
    accepted = await alice.ask(await alice.conversation(), THINKING)
    job_id = accepted["job"]["id"]
    live = [event for event in await all_events(alice.client, job_id) if event.id is not None]
    for count in range(len(live) + 1):
        had = replay(live[:count])
        for how in ({"last_event_id": str(count)}, {"after": count}):
            rest = await all_events(alice.client, job_id, **how)
            assert replay(rest, *had) == replay(live), (count, how)
            assert rest[-1].event == "done" and rest[-1].id == live[-1].id
    past = await all_events(alice.client, job_id, after=len(live) + 100)
    assert [event.event for event in past] == ["snapshot", "done"]
    assert replay(past) == replay(live)


async def test_the_header_wins_over_the_parameter_and_both_are_checked(alice: Person) -> None:
    job_id = (await alice.answered(await alice.conversation()))["job"]["id"]
    events = await all_events(alice.client, job_id, last_event_id="1", after=9999)
    assert events[0].event != "snapshot" or events[0].id != 9999
    path = f"/api/v1/jobs/{job_id}/events"
    for bad in ("x", "-1", "1.5", "9" * 20):
        answer = await alice.client.get(path, headers={"Last-Event-ID": bad})
        assert is_problem(answer, 400, "bad_position")
    assert is_problem(await alice.client.get(f"{path}?limit=1"), 422, "unknown_parameter")
    assert is_problem(await alice.client.post(path), 405, "method_not_allowed")


async def test_html_blocks_add_up_to_the_whole_rendering_from_every_position(alice: Person) -> None:
    accepted = await alice.ask(await alice.conversation(), "Some [[tokens=10 rate=200]]")
    job_id = accepted["job"]["id"]
    live = await all_events(alice.client, job_id, format="html")
    whole = live[-1].data["message"]["content_html"]
    assert f"m-{accepted['assistant_message']['id']}-" in whole or " id=" not in whole
    for after in (None, *(event.id for event in live if event.id)):
        events = live if after is None else await all_events(alice.client, job_id, format="html", after=after)
        assert not [event for event in events if event.event in ("delta", "snapshot")]
        blocks: list[str] = []
        for event in events:
            if event.event == "html":
                assert after is None or blocks or event.data["from"] == 0, "who comes later gets all blocks first"
                blocks[event.data["from"] :] = event.data["blocks"]
        assert "".join(blocks) == whole or (after is not None and not blocks)


async def test_a_cancelled_job_ends_its_stream_with_done(alice: Person) -> None:
    accepted = await alice.ask(await alice.conversation(), ENDLESS)
    async with stream_of(alice.client, accepted["job"]["id"]) as stream:
        events: list[Event] = []
        async for event in stream:
            if event.event == "delta" and not any(e.event == "delta" for e in events):
                await alice.client.post(f"/api/v1/jobs/{accepted['job']['id']}/cancel")
            events.append(event)
    assert events[-1].event == "done" and events[-1].data["job"]["status"] == "cancelled"
    assert replay(events)[0] == events[-1].data["message"]["content"]


Ending = Callable[[Person, Person, Served], Awaitable[None]]


async def _sign_out(alice: Person, dana: Person, served: Served) -> None:
    assert (await alice.client.post("/api/v1/auth/logout")).status_code == 204


async def _revoke(alice: Person, dana: Person, served: Served) -> None:
    other = await sign_in(served.url, alice.name)
    async with bearer(served.url, other["access_token"]) as client:
        listed = (await client.get("/api/v1/auth/sessions")).json()["items"]
        for item in listed:
            if not item["current"]:
                await client.delete(f"/api/v1/auth/sessions/{item['id']}")


async def _password(alice: Person, dana: Person, served: Served) -> None:
    other = await sign_in(served.url, alice.name)
    async with bearer(served.url, other["access_token"]) as client:
        body = {"current_password": PASSWORD, "new_password": "another long one"}
        assert (await client.post("/api/v1/auth/password", json=body)).status_code == 204


async def _disable(alice: Person, dana: Person, served: Served) -> None:
    await dana.client.patch(f"/api/v1/users/{alice.id}", json={"disabled": True})


async def _delete(alice: Person, dana: Person, served: Served) -> None:
    await dana.client.delete(f"/api/v1/users/{alice.id}")


async def test_A35_A15_an_open_stream_ends_within_seconds_of_its_right(dana: Person, served: Served) -> None:
    async def watch(end: Ending, *, by_key: bool = False) -> float:
        alice = await person(served, "alice")
        accepted = await alice.ask(await alice.conversation(), ENDLESS)
        if by_key:
            key = (await alice.client.post("/api/v1/auth/api-keys", json={"name": "k"})).json()
            alice.client.headers["Authorization"] = f"Bearer {key['secret']}"
        ended_at = None
        try:
            async with stream_of(alice.client, accepted["job"]["id"]) as stream:
                async for event in stream:
                    if event.event == "delta" and ended_at is None:
                        ended_at = time.monotonic()
                        await end(alice, dana, served)
            assert ended_at is not None
            return time.monotonic() - ended_at
        finally:  # an endless answer would take its place from all that follows
            await alice.client.aclose()
            await served.run(lambda: served.services.endings.cancel_all(alice.id))

    endings = (_sign_out, _revoke, _password, _disable, _delete)
    took = await asyncio.gather(*(watch(end) for end in endings), watch(_password, by_key=True))
    assert max(took) < 6.5, dict(zip([end.__name__ for end in endings] + ["key"], took, strict=True))


@pytest.fixture
async def narrow(tmp_path: Path) -> AsyncIterator[Served]:
    with serving(tmp_path / "data", max_streams_per_user=3) as running:
        yield running


async def test_A59_no_more_streams_than_the_limit_and_a_place_is_free_again(narrow: Served) -> None:
    alice, bob = await person(narrow, "alice"), await person(narrow, "bob")
    async with alice.client, bob.client, AsyncExitStack() as stack:
        job_id = (await alice.ask(await alice.conversation(), ENDLESS))["job"]["id"]
        for _ in range(3):
            stream = await stack.enter_async_context(stream_of(alice.client, job_id))
            assert stream.response.status_code == 200
        for path in (f"/api/v1/jobs/{job_id}/events", f"/api/v1/jobs/{job_id}?wait=5"):
            refused = await alice.client.get(path)
            assert is_problem(refused, 429, "too_many_streams")
            assert int(refused.headers["retry-after"]) >= 1
        assert (await alice.client.get(f"/api/v1/jobs/{job_id}")).status_code == 200, "a plain look is no stream"
        theirs = (await bob.ask(await bob.conversation(), "[[tokens=2]]"))["job"]["id"]
        assert (await all_events(bob.client, theirs))[-1].event == "done"
        await stack.aclose()
        await _until(lambda: len(narrow.services.viewers) == 0)
        await alice.client.post(f"/api/v1/jobs/{job_id}/cancel")
        assert (await all_events(alice.client, job_id))[-1].event == "done"
    await _until(lambda: len(narrow.services.viewers) == 0)


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - another thread's loop
            await asyncio.sleep(0.02)


async def test_F29_viewers_that_come_and_go_leave_nothing_behind(alice: Person, served: Served) -> None:
    job_id = (await alice.ask(await alice.conversation(), ENDLESS))["job"]["id"]

    async def glance() -> None:
        async with stream_of(alice.client, job_id) as stream:
            async for _ in stream:
                return

    for _ in range(10):
        await asyncio.gather(*(glance() for _ in range(20)))
    await _until(lambda: len(served.services.viewers) == 0)
    assert (await alice.client.get(f"/api/v1/jobs/{job_id}")).json()["status"] == "running"
    await alice.client.post(f"/api/v1/jobs/{job_id}/cancel")
    await alice.ended(job_id)


async def test_the_head_of_a_stream_does_not_begin_it(alice: Person, served: Served) -> None:
    job_id = (await alice.ask(await alice.conversation(), ENDLESS))["job"]["id"]
    answer = await alice.client.head(f"/api/v1/jobs/{job_id}/events", timeout=5)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    await _until(lambda: len(served.services.viewers) == 0)
    await alice.client.post(f"/api/v1/jobs/{job_id}/cancel")
    await alice.ended(job_id)


async def test_a_stream_wants_the_bearer(browser: httpx.AsyncClient, alice: Person) -> None:
    job_id = (await alice.answered(await alice.conversation()))["job"]["id"]
    await browser.post("/api/v1/auth/login", data={"username": alice.name, "password": PASSWORD})
    assert is_problem(await browser.get(f"/api/v1/jobs/{job_id}/events"), 401, "invalid_token")

"""A job that waits after a failure says why and until when, from the first one on, and can be tried at once."""

import asyncio
import itertools
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.api.event_stream import all_events
from tests.api.people import MISSING, Person

# Busy once for each question, and for a minute: `Retry-After: 60`.
BUSY = "hello {} [[tokens=3 fault=status:429:60 times=1]]"
_numbers = itertools.count()


async def in_trouble(person: Person) -> dict[str, Any]:
    """The job, once its first try has failed."""
    accepted = await person.ask(await person.conversation(), BUSY.format(next(_numbers)))
    for _ in range(200):
        job = (await person.client.get(f"/api/v1/jobs/{accepted['job']['id']}")).json()
        if job["reason"]:
            return dict(job)
        await asyncio.sleep(0.02)
    raise AssertionError(job)


async def test_the_first_failure_is_on_the_job_and_in_its_list(alice: Person) -> None:
    job = await in_trouble(alice)
    assert (job["status"], job["attempt"], job["error"]) == ("queued", 1, None)
    assert job["reason"]["code"] == "busy" and "is busy" in job["reason"]["message"]
    assert 50 < (datetime.fromisoformat(job["retry_at"]) - datetime.now(UTC)).total_seconds() <= 60
    listed = (await alice.client.get("/api/v1/jobs", params={"status": "queued"})).json()["items"]
    assert [(each["reason"], each["retry_at"]) for each in listed if each["id"] == job["id"]] == [
        (job["reason"], job["retry_at"])
    ]
    await alice.client.post(f"/api/v1/jobs/{job['id']}/cancel")
    ended = (await alice.client.get(f"/api/v1/jobs/{job['id']}")).json()
    assert (ended["status"], ended["reason"], ended["retry_at"]) == ("cancelled", None, None)


async def test_who_does_not_want_to_wait_does_not(alice: Person) -> None:
    job = await in_trouble(alice)
    for _ in range(2):  # asked twice it is tried once
        answer = await alice.client.post(f"/api/v1/jobs/{job['id']}/try-now")
        assert answer.status_code == 202 and answer.headers["location"] == f"/api/v1/jobs/{job['id']}"
    ended = await alice.ended(job["id"])
    assert (ended["status"], ended["attempt"], ended["reason"]) == ("succeeded", 2, None)
    assert (await alice.client.post(f"/api/v1/jobs/{job['id']}/try-now")).json()["status"] == "succeeded"


async def test_viewers_are_told_whenever_they_come(alice: Person) -> None:
    job = await in_trouble(alice)
    late = await alice.client.get(f"/api/v1/jobs/{job['id']}", params={"after": 0})
    told = [event["data"] for event in late.json()["events"] if event["event"] == "status"]
    assert told[-1] == {
        "status": "queued",
        "attempt": 1,
        "position": None,
        "reason": job["reason"],
        "retry_at": job["retry_at"],
    }
    await alice.client.post(f"/api/v1/jobs/{job['id']}/try-now")
    statuses = [event.data for event in await all_events(alice.client, job["id"]) if event.event == "status"]
    troubled = [("reason" in each, each["status"], each["attempt"]) for each in statuses if each["position"] is None]
    assert troubled[-4:] == [(False, "running", 1), (True, "queued", 1), (True, "queued", 1), (False, "running", 2)]


async def test_a_viewer_of_a_waiting_job_hears_why(alice: Person) -> None:
    job = await in_trouble(alice)
    url = f"/api/v1/jobs/{job['id']}/events"
    async with alice.client.stream("GET", url, params={"after": job["last_event_id"]}) as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data:"):
                assert job["reason"]["code"] in line and job["retry_at"] in line
                break
    await alice.client.post(f"/api/v1/jobs/{job['id']}/cancel")


@pytest.mark.parametrize("which", ["anothers", "missing"])
async def test_only_ones_own_is_tried(alice: Person, bob: Person, which: str) -> None:
    job = await in_trouble(alice)
    job_id = job["id"] if which == "anothers" else MISSING
    answer: httpx.Response = await bob.client.post(f"/api/v1/jobs/{job_id}/try-now")
    assert answer.status_code == 404
    assert (await alice.client.get(f"/api/v1/jobs/{job['id']}")).json()["reason"]
    await alice.client.post(f"/api/v1/jobs/{job['id']}/cancel")

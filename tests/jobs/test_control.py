"""What a person does with jobs."""

from typing import Any

import pytest

from app.db.session import Database
from app.errors import AppError, ErrorKind
from app.jobs.control import cancel_now, get_job, list_jobs, message_id_of
from app.jobs.states import JobStatus
from tests.jobs.rows import add_job, broken_invariants, claimed, job_row
from tests.jobs.stub import StubHandler


async def test_a_strangers_job_and_a_missing_one_are_the_same(
    database: Database, connection: Any, alice: str, bob: str
) -> None:
    job_id = add_job(connection, alice)
    async with database.read() as session:
        assert (await get_job(session, alice, job_id)).id == job_id
        refusals = []
        for user, wanted in ((bob, job_id), (bob, "0" * 36)):
            with pytest.raises(AppError) as refused:
                await get_job(session, user, wanted)
            refusals.append((refused.value.kind, refused.value.code, refused.value.detail))
    assert refusals[0] == refusals[1]
    assert refusals[0][0] is ErrorKind.not_found


async def test_the_list_is_ones_own_newest_first_and_pages(
    database: Database, connection: Any, alice: str, bob: str
) -> None:
    mine = [add_job(connection, alice) for _ in range(5)]
    his = add_job(connection, bob)
    claimed(connection)
    async with database.read() as session:
        assert [job.id for job in await list_jobs(session, alice)] == mine[::-1]
        assert [job.id for job in await list_jobs(session, alice, before=mine[2], limit=1)] == [mine[1]]
        assert [job.id for job in await list_jobs(session, alice, status=JobStatus.running)] == [mine[0]]
        assert await list_jobs(session, alice, kind="title") == []
        assert [job.id for job in await list_jobs(session, None)] == [his, *mine[::-1]]


def test_a_queued_job_is_cancelled_at_once(connection: Any, stub: StubHandler, alice: str) -> None:
    job_id = add_job(connection, alice)
    done = cancel_now(connection, job_id)
    assert done is not None
    assert done.event == "done"
    assert job_row(connection, job_id)["status"] == "cancelled"
    assert stub.abandonments == [(job_id, JobStatus.cancelled, None)]
    assert broken_invariants(connection) == []


def test_the_runner_of_a_running_job_is_asked(connection: Any, stub: StubHandler, alice: str) -> None:
    job_id = add_job(connection, alice)
    claimed(connection)
    assert cancel_now(connection, job_id) is None
    asked = job_row(connection, job_id)["cancel_requested_at"]
    assert asked
    assert cancel_now(connection, job_id) is None
    assert job_row(connection, job_id)["cancel_requested_at"] == asked
    assert job_row(connection, job_id)["status"] == "running"


def test_at_once_ends_a_running_one_too(connection: Any, stub: StubHandler, alice: str) -> None:
    job_id = add_job(connection, alice)
    claimed(connection)
    assert cancel_now(connection, job_id, at_once=True) is not None
    assert job_row(connection, job_id)["status"] == "cancelled"


def test_cancelling_what_has_ended_or_never_was_changes_nothing(connection: Any, stub: StubHandler, alice: str) -> None:
    job_id = add_job(connection, alice)
    cancel_now(connection, job_id)
    before = job_row(connection, job_id)
    assert cancel_now(connection, job_id) is None
    assert cancel_now(connection, job_id, at_once=True) is None
    assert job_row(connection, job_id) == before
    assert cancel_now(connection, "nothing") is None


async def test_a_job_without_a_message_writes_none(database: Database, connection: Any, alice: str) -> None:
    async with database.read() as session:
        assert await message_id_of(session, add_job(connection, alice)) == ""

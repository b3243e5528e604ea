"""Into the queue: limits that leave nothing, places, sequences, and one who floods it."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text

from app.clock import utcnow
from app.db.session import Database
from app.db.types import to_text
from app.errors import AppError, ErrorKind
from app.ids import new_id
from app.jobs import lease
from app.jobs.counts import mend, tidy
from app.jobs.lease import End
from app.jobs.models import Job
from app.jobs.queue import QueueLimits, enqueue, position, refuse_if_full
from app.jobs.states import JobStatus
from tests.jobs.rows import add_job, add_user, broken_invariants, claim, claimed, job_row, log_of, transaction

_MANY = """
INSERT INTO jobs (id, kind, user_id, payload, queue, priority, blocked, run_after, status, attempt, failures, crashes,
  beat, last_event_id, folded, created_at, started_at)
VALUES (?, 'stub', ?, '{}', 'ollama', 0, 0, ?, ?, 0, 0, 0, 0, 0, 1, ?, ?)
"""


def add_many(connection: Any, user_id: str, count: int, status: str = "queued") -> None:
    letter = "a" if status == "queued" else "b"
    now = to_text(utcnow())
    rest = (user_id, now, status, now, None if status == "queued" else now)
    with transaction(connection):
        connection.executemany(_MANY, [(f"00000000-0000-7000-8000-{letter}{i:011}", *rest) for i in range(count)])


@contextmanager
def counting_steps(connection: Any) -> Iterator[list[int]]:
    """Hundreds of steps of SQLite's machine: a cost that does not depend on ours."""
    steps = [0]

    def count() -> int:
        steps[0] += 1
        return 0

    connection.set_progress_handler(count, 100)
    try:
        yield steps
    finally:
        connection.set_progress_handler(None, 0)


async def put(database: Database, user_id: str, **columns: Any) -> tuple[Job, int | None]:
    async with database.transaction() as session:
        return await enqueue(session, **{"kind": "stub", "user_id": user_id, "queue": "ollama", **columns})


async def place_of(database: Database, job_id: str) -> int | None:
    async with database.read() as session:
        job = await session.get(Job, job_id)
        assert job is not None
        return await position(session, job)


async def test_a_job_is_made_with_its_first_events(database: Database, connection: Any, alice: str) -> None:
    snapshot = {"content": "so far", "thinking": ""}
    job, place = await put(database, alice, payload={"model": "m"}, first_event=("snapshot", snapshot))
    assert place == 1
    status = {"status": "queued", "attempt": 0, "position": 1}
    assert log_of(connection, job.id) == [(1, 0, "snapshot", snapshot), (2, 0, "status", status)]
    assert job_row(connection, job.id)["last_event_id"] == 2
    assert broken_invariants(connection) == []


async def test_a_job_exists_if_and_only_if_its_transaction_commits(
    database: Database, connection: Any, alice: str
) -> None:
    async def fail() -> None:
        async with database.transaction() as session:
            await enqueue(session, kind="stub", user_id=alice, queue="ollama")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    for table in ("jobs", "job_events"):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


@pytest.mark.parametrize(
    ("limits", "kind", "code", "bounds"),
    [
        (QueueLimits(3, 0), ErrorKind.rate_limited, "queue_full", (1, 60)),
        (QueueLimits(0, 3), ErrorKind.unavailable, "server_busy", (5, 300)),
        (QueueLimits(3, 3), ErrorKind.rate_limited, "queue_full", (1, 60)),
    ],
)
async def test_a_full_queue_refuses_with_retry_after(
    database: Database, connection: Any, alice: str, limits: QueueLimits, kind: ErrorKind, code: str, bounds: Any
) -> None:
    for _ in range(3):
        async with database.transaction() as session:
            await refuse_if_full(session, alice, limits)
            await enqueue(session, kind="stub", user_id=alice, queue="ollama")
    async with database.transaction() as session:
        with pytest.raises(AppError) as refused:
            await refuse_if_full(session, alice, limits)
    assert (refused.value.kind, refused.value.code) == (kind, code)
    assert refused.value.retry_after is not None
    assert bounds[0] <= refused.value.retry_after <= bounds[1]
    claimed(connection)  # what runs is not counted: there is room again
    async with database.read() as session:
        await refuse_if_full(session, alice, limits)


async def test_one_users_full_queue_is_no_elses(database: Database, connection: Any, alice: str, bob: str) -> None:
    add_many(connection, alice, 3)
    async with database.read() as session:
        await refuse_if_full(session, bob, QueueLimits(3, 0))


async def test_no_limit_is_no_limit(database: Database, connection: Any, alice: str) -> None:
    add_many(connection, alice, 500)
    async with database.read() as session:
        await refuse_if_full(session, alice, QueueLimits(0, 0))


async def test_titles_neither_count_nor_stand_before_answers(database: Database, connection: Any, alice: str) -> None:
    for _ in range(3):
        add_job(connection, alice, priority=1)
    async with database.read() as session:
        await refuse_if_full(session, alice, QueueLimits(1, 1))
    job, place = await put(database, alice)
    assert place == 1
    assert await place_of(database, job.id) == 1


async def test_places_are_the_order_of_claims_when_users_take_turns(
    database: Database, connection: Any, alice: str, bob: str
) -> None:
    """Alice asks five times, then Bob twice: his first is second, his second fourth."""
    jobs = [(await put(database, user))[0].id for user in (alice, alice, alice, alice, alice, bob, bob)]
    places = [await place_of(database, job_id) for job_id in jobs]
    assert places[0] == 1
    assert (places[5], places[6]) == (2, 4)
    order = []
    while job := lease.claim(connection, queue="ollama", priority=0, owner="p", slots=0, per_user=0):
        order.append(job.id)
        lease.end(connection, job.id, 1, End(JobStatus.succeeded))
    assert [order.index(job_id) + 1 for job_id in jobs[5:]] == [2, 4]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_place_is_counted_as_it_is_looked_up(database: Database, connection: Any, seed: int) -> None:
    """Whatever was posted, claimed, given back, cancelled and tidied before: one number, by two ways."""
    chance = random.Random(seed)
    users = [add_user(connection, f"user-{number}") for number in range(6)]
    waiting: list[str] = []
    for _ in range(60):
        job, place = await put(database, chance.choice(users), queue=chance.choice(["ollama", "openai"]))
        assert place == await place_of(database, job.id)
        waiting.append(job.id)
        with transaction(connection):
            if chance.random() < 0.4 and (running := claim(connection, queue="ollama")):
                waiting.remove(running.id)
                if chance.random() < 0.5:
                    lease.release(connection, running.id, running.attempt)
                    waiting.append(running.id)
            if chance.random() < 0.3:
                gone = waiting.pop(chance.randrange(len(waiting)))
                lease.end(connection, gone, job_row(connection, gone)["attempt"], End(JobStatus.cancelled))
            if chance.random() < 0.2:
                tidy(connection)
        assert broken_invariants(connection) == []


async def test_who_is_deleted_waits_no_more(database: Database, connection: Any, alice: str, bob: str) -> None:
    for user in (alice, alice, bob):
        add_job(connection, user)
    with transaction(connection):
        tidy(connection)
        connection.execute("DELETE FROM users WHERE id = ?", (alice,))
    assert broken_invariants(connection) == []
    assert (await put(database, bob))[1] == 2
    assert [claimed(connection).user_id for _ in range(2)] == [bob, bob]


async def test_a_place_falls_as_the_queue_moves_and_ends_with_the_start(
    database: Database, connection: Any, alice: str
) -> None:
    jobs = [(await put(database, alice))[0].id for _ in range(3)]
    assert [await place_of(database, job_id) for job_id in jobs] == [1, 2, 3]
    claimed(connection)
    assert [await place_of(database, job_id) for job_id in jobs] == [None, 1, 2]


async def test_a_sequence_waits_for_what_is_queued_and_for_what_runs(
    database: Database, connection: Any, alice: str
) -> None:
    jobs = [(await put(database, alice, sequence_key="c"))[0] for _ in range(2)]
    assert [job.blocked for job in jobs] == [False, True]
    claimed(connection)
    lease.end(connection, jobs[1].id, 0, End(JobStatus.cancelled))
    third = (await put(database, alice, sequence_key="c"))[0]
    assert third.blocked
    lease.end(connection, jobs[0].id, 1, End(JobStatus.succeeded))
    assert not job_row(connection, third.id)["blocked"]
    assert not (await put(database, alice, sequence_key="another"))[0].blocked


@pytest.mark.sqlite
async def test_F32_ten_thousand_of_one_user_do_not_delay_anothers_first(
    database: Database, connection: Any, alice: str, bob: str
) -> None:
    add_many(connection, alice, 10_000)
    claimed(connection)
    job, place = await put(database, bob)
    assert place is not None
    assert place <= 2
    with counting_steps(connection) as steps:
        assert claimed(connection).id == job.id
    assert steps[0] < 30  # not the 10,000


@pytest.mark.sqlite
async def test_F32_a_thousand_users_who_wait_delay_nobody(
    database: Database, connection: Any, alice: str, bob: str
) -> None:
    """Neither the one who comes next nor the one who claims."""
    crowd = [add_user(connection, f"waiting-{number}") for number in range(1000)]
    with transaction(connection):
        for user in crowd:
            add_job(connection, user)
    with transaction(connection):
        tidy(connection)
    _, place = await put(database, bob)
    assert place == 1001
    with counting_steps(connection) as steps:
        assert claimed(connection).user_id == crowd[0]
    assert steps[0] < 30


@pytest.mark.sqlite
async def test_F32_a_claim_does_not_read_what_has_ended(connection: Any, alice: str) -> None:
    add_job(connection, alice)
    with counting_steps(connection) as few:
        claimed(connection)
    add_many(connection, alice, 10_000, "succeeded")
    add_job(connection, alice)
    with counting_steps(connection) as many:
        claimed(connection)
    assert many[0] < few[0] + 10


@pytest.mark.sqlite
async def test_F32_a_place_does_not_read_what_has_ended(database: Database, connection: Any, alice: str) -> None:
    add_many(connection, alice, 10_000, "succeeded")
    async with database.read() as session:
        raw: Any = (await (await session.connection()).get_raw_connection()).driver_connection
        job = Job(id=new_id(), user_id=alice, priority=0, status="queued")
        with counting_steps(raw._conn) as steps:
            assert await position(session, job) == 1
        await session.execute(text("SELECT 1"))
    assert steps[0] < 10


@pytest.mark.parametrize("jobs", [0, 2])
def test_a_job_that_was_counted_wrongly_is_found_again(connection: Any, jobs: int) -> None:
    """By whatever mistake: nothing that was accepted waits for ever."""
    user = add_user(connection, "alice")
    job = add_job(connection, user)
    with transaction(connection):
        tidy(connection)
        connection.execute("UPDATE waiting_users SET jobs = ?", (jobs,))
    with transaction(connection):
        mend(connection)
        tidy(connection)
    counted = connection.execute("SELECT jobs FROM waiting_users").fetchall()
    assert [row[0] for row in counted] == [1]
    assert claimed(connection).id == job

"""Claim, fence, end, release: step by step on a plain connection."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.errors import RaiseException
from pysqlite3 import IntegrityError

from app.clock import utcnow
from app.jobs import lease
from app.jobs.lease import End, FollowUp
from app.jobs.states import JobStatus
from tests.jobs.rows import OWNER, add_job, add_user, broken_invariants, claim, claimed, job_row, log_of

UNTIL = "2026-11-24T00:00:00.000000Z"


@pytest.fixture(autouse=True)
def _promises_hold(connection: Any) -> Any:
    yield
    assert broken_invariants(connection) == []


def test_a_claim_takes_the_lease_and_says_so_in_the_log(connection: Any, alice: str) -> None:
    job_id = add_job(connection, alice, payload={"model": "m"})
    job = claimed(connection)
    assert (job.id, job.attempt, job.payload, job.user_id) == (job_id, 1, {"model": "m"}, alice)
    row = job_row(connection, job_id)
    assert (row["status"], row["lease_owner"], row["last_event_id"]) == ("running", OWNER, 2)
    assert log_of(connection, job_id)[-1] == (
        2,
        1,
        "status",
        {"status": "running", "attempt": 1, "position": None},
    )
    assert job.event.seq == 2
    assert claim(connection) is None


def test_of_one_user_the_oldest_goes_first(connection: Any, alice: str) -> None:
    jobs = [add_job(connection, alice) for _ in range(5)]
    assert [claimed(connection).id for _ in range(5)] == jobs


def test_who_has_fewest_running_goes_first(connection: Any, alice: str, bob: str) -> None:
    for _ in range(4):
        add_job(connection, alice)
    for _ in range(2):
        claimed(connection)
    late = add_job(connection, bob)
    assert claimed(connection).id == late


def test_of_those_with_as_many_running_who_waited_longest_goes_first(connection: Any) -> None:
    """Round robin: each claim is followed by an end, so nobody ever has one running."""
    users = [add_user(connection, name) for name in ("alice", "bob", "charlie")]
    for user in users:
        for _ in range(3):
            add_job(connection, user)
    order = []
    for _ in range(9):
        job = claimed(connection)
        order.append(users.index(job.user_id))
        lease.end(connection, job.id, job.attempt, End(JobStatus.succeeded))
    assert order == [0, 1, 2] * 3


def test_a_user_at_the_cap_waits_and_does_not_block_the_others(connection: Any, alice: str, bob: str) -> None:
    for _ in range(5):
        add_job(connection, alice)
    assert [claimed(connection, per_user=2).user_id for _ in range(2)] == [alice, alice]
    assert claim(connection, per_user=2) is None
    add_job(connection, bob)
    assert claimed(connection, per_user=2).user_id == bob
    assert claim(connection, per_user=2) is None


def test_the_cap_counts_over_all_queues(connection: Any, alice: str) -> None:
    add_job(connection, alice, queue="openai")
    add_job(connection, alice)
    claimed(connection, queue="openai", per_user=1)
    assert claim(connection, per_user=1) is None


def test_a_queue_gives_no_more_than_its_slots(connection: Any, alice: str, bob: str) -> None:
    for user in (alice, bob):
        add_job(connection, user)
        add_job(connection, user, queue="openai")
    claimed(connection, slots=1)
    assert claim(connection, slots=1) is None
    assert claimed(connection, queue="openai", slots=1) is not None


def test_priorities_are_claimed_apart(connection: Any, alice: str) -> None:
    title = add_job(connection, alice, priority=1)
    answer = add_job(connection, alice)
    assert claimed(connection).id == answer
    assert claim(connection) is None
    assert claimed(connection, priority=1).id == title


def test_what_is_not_due_yet_does_not_hold_up_what_is(connection: Any, alice: str) -> None:
    add_job(connection, alice, run_after=utcnow() + timedelta(seconds=60))
    due = add_job(connection, alice)
    assert claimed(connection).id == due
    assert claim(connection) is None


def test_F26_a_wall_clock_set_back_an_hour_does_not_stall_the_queue(
    connection: Any, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = add_job(connection, alice)
    monkeypatch.setattr(lease, "utcnow", lambda: datetime.now(UTC) - timedelta(hours=1))
    assert claimed(connection).id == job_id


def test_a_sequence_runs_one_after_the_other(connection: Any, alice: str) -> None:
    first, second, third = (add_job(connection, alice, sequence_key="c") for _ in range(3))
    job = claimed(connection)
    assert job.id == first
    assert claim(connection) is None
    lease.end(connection, first, 1, End(JobStatus.failed))
    assert claimed(connection).id == second
    assert claim(connection) is None
    lease.end(connection, second, 1, End(JobStatus.succeeded))
    assert claimed(connection).id == third


def test_a_released_job_keeps_its_sequence_waiting(connection: Any, alice: str) -> None:
    first, _ = (add_job(connection, alice, sequence_key="c") for _ in range(2))
    claimed(connection)
    lease.release(connection, first, 1, run_after=utcnow() + timedelta(seconds=60))
    assert claim(connection) is None


def test_the_end_of_a_waiting_one_does_not_let_the_next_pass_the_running_one(connection: Any, alice: str) -> None:
    first, second, third = (add_job(connection, alice, sequence_key="c") for _ in range(3))
    claimed(connection)
    lease.end(connection, second, 0, End(JobStatus.cancelled))
    assert claim(connection) is None
    lease.end(connection, first, 1, End(JobStatus.succeeded))
    assert claimed(connection).id == third


def test_a_fence_renews_and_gives_out_numbers(connection: Any, alice: str) -> None:
    job_id = add_job(connection, alice)
    claimed(connection)
    before = job_row(connection, job_id)
    assert lease.fence(connection, job_id, 1, 3, UNTIL) == (5, False)
    after = job_row(connection, job_id)
    assert after["beat"] == before["beat"] + 1
    assert after["leased_until"] == UNTIL
    lease.append_rows(connection, [(job_id, seq, 1, "delta", '{"text":"x"}') for seq in (3, 4, 5)])


def test_a_fence_tells_of_a_cancel(connection: Any, alice: str) -> None:
    job_id = add_job(connection, alice)
    claimed(connection)
    connection.execute("UPDATE jobs SET cancel_requested_at = ?", (UNTIL,))
    assert lease.fence(connection, job_id, 1, 0, UNTIL) == (2, True)


@pytest.mark.parametrize("how", ["released", "claimed again", "ended", "gone"])
def test_I3_a_lost_lease_is_refused_everything(connection: Any, alice: str, how: str) -> None:
    job_id = add_job(connection, alice)
    claimed(connection)
    match how:
        case "released":
            lease.release(connection, job_id, 1)
        case "claimed again":
            lease.release(connection, job_id, 1)
            claimed(connection, owner="process-2-other")
        case "ended":
            lease.end(connection, job_id, 1, End(JobStatus.succeeded))
        case "gone":
            connection.execute("DELETE FROM jobs")
    written = connection.execute("SELECT count(*), max(id) FROM job_events").fetchone()
    effects: list[bool] = []
    end = End(JobStatus.succeeded, effects=[lambda _: effects.append(True)])
    assert lease.fence(connection, job_id, 1, 1, UNTIL) is None
    assert lease.release(connection, job_id, 1) is None
    if how != "released":  # a queued job may be ended by who asks for it by its attempt: a cancel
        assert lease.end(connection, job_id, 1, end) is None
        assert effects == []
    else:
        assert lease.end(connection, job_id, 0, end) is None
    assert connection.execute("SELECT count(*), max(id) FROM job_events").fetchone() == written


def test_I2_the_end_is_once_and_in_one_transaction_with_its_effects(connection: Any, alice: str) -> None:
    job_id = add_job(connection, alice)
    claimed(connection)
    effects: list[str] = []
    end = End(
        JobStatus.succeeded,
        result={"message_id": "m"},
        effects=[lambda c: effects.append(job_row(c, job_id)["status"])],
        follow_ups=[FollowUp("title", alice, "ollama", None, 1, {"model": "m"})],
    )
    done = lease.end(connection, job_id, 1, end)
    assert done is not None
    assert (done.seq, done.event) == (3, "done")
    assert effects == ["succeeded"]
    assert lease.end(connection, job_id, 1, end) is None
    assert effects == ["succeeded"]
    follow_up = claimed(connection, priority=1)
    assert (follow_up.kind, follow_up.payload) == ("title", {"model": "m"})
    assert [event for *_, event, _ in log_of(connection, follow_up.id)] == ["status", "status"]


@pytest.mark.parametrize("ended", ["succeeded", "failed", "cancelled"])
@pytest.mark.parametrize("wanted", ["queued", "running", "succeeded", "failed", "cancelled"])
def test_I2_the_database_itself_refuses_to_leave_a_terminal_state(
    connection: Any, alice: str, ended: str, wanted: str
) -> None:
    job_id = add_job(connection, alice)
    lease.end(connection, job_id, 0, End(JobStatus(ended)))
    if wanted == ended:
        return
    with pytest.raises((IntegrityError, RaiseException), match="stays ended"):
        connection.execute("UPDATE jobs SET status = ?", (wanted,))


def test_a_release_keeps_what_is_counted_and_says_queued(connection: Any, alice: str) -> None:
    job_id = add_job(connection, alice)
    claimed(connection)
    since = datetime(2026, 11, 24, 8, tzinfo=UTC)
    released = lease.release(
        connection, job_id, 1, run_after=since, failures=2, failing_since=since, error={"code": "busy"}, crashed=True
    )
    assert released is not None
    assert (released[0].seq, released[1]) == (3, 1)
    again = claimed(connection)
    assert (again.attempt, again.failures, again.failing_since, again.last_event_id) == (2, 2, since, 4)
    assert job_row(connection, job_id)["crashes"] == 1
    statuses = [(seq, attempt, data["status"]) for seq, attempt, _, data in log_of(connection, job_id)]
    assert statuses == [(1, 0, "queued"), (2, 1, "running"), (3, 1, "queued"), (4, 2, "running")]

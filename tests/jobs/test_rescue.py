"""Rescue, scan by scan, with a clock that the test turns."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.clock import utcnow
from app.db.types import to_text
from app.jobs import lease as leases
from app.jobs import maintenance
from app.jobs.event_log import EventLog
from app.jobs.lease import End
from app.jobs.liveness import Connections, ProcessLock
from app.jobs.maintenance import Maintenance
from app.jobs.notify import Hub
from app.jobs.states import JobStatus
from tests.jobs.keeping import ME, OTHER, Clock
from tests.jobs.rows import add_job, broken_invariants, claim, claimed, job_row, log_of
from tests.jobs.stub import StubHandler
from tests.jobs.test_liveness import holder


@pytest.fixture
def neighbour(run_dir: Path) -> Any:
    """The sign of life of the other process."""
    lock = ProcessLock(run_dir, OTHER)
    yield lock
    lock.close()


def make_due(connection: Any) -> None:
    """What waits a moment after a crash need not wait here."""
    connection.execute("UPDATE jobs SET run_after = ?", (to_text(utcnow()),))


@pytest.fixture(autouse=True)
def _promises_hold(connection: Any) -> Any:
    yield
    assert broken_invariants(connection) == []


async def test_F03_a_job_of_a_process_whose_lock_is_free_is_rescued_at_the_next_scan(
    keeper: Maintenance, hub: Hub, connection: Any, alice: str, run_dir: Path
) -> None:
    job_id = add_job(connection, alice)
    with holder(run_dir, OTHER) as (process, _):
        claimed(connection, owner=OTHER)
        await keeper.scan()
        assert job_row(connection, job_id)["status"] == "running"
        process.kill()
        process.wait()
        with hub.watch(job_id) as viewer:
            await keeper.scan()
            assert [(event.seq, event.event) for event in viewer.take()] == [(3, "status")]
    row = job_row(connection, job_id)
    assert (row["status"], row["crashes"], row["attempt"]) == ("queued", 1, 1)
    assert log_of(connection, job_id)[-1][3]["status"] == "queued"


async def test_a_standing_beat_is_rescued_after_fifteen_seconds_and_not_before(
    keeper: Maintenance, connection: Any, alice: str, clock: Clock, neighbour: ProcessLock
) -> None:
    job_id = add_job(connection, alice)
    claimed(connection, owner=OTHER)
    await keeper.scan()
    clock.now += 14.9
    await keeper.scan()
    assert job_row(connection, job_id)["status"] == "running"
    clock.now += 0.2
    await keeper.scan()
    assert job_row(connection, job_id)["status"] == "queued"


async def test_a_beat_starts_the_fifteen_seconds_anew(
    keeper: Maintenance, connection: Any, alice: str, clock: Clock, neighbour: ProcessLock
) -> None:
    job_id = add_job(connection, alice)
    claimed(connection, owner=OTHER)
    for _ in range(10):
        await keeper.scan()
        clock.now += 14
        assert leases.fence(connection, job_id, 1, 0, leases.lease_end(utcnow())) is not None
    await keeper.scan()
    assert job_row(connection, job_id)["status"] == "running"


@pytest.mark.postgresql  # on SQLite a lock says it, which no network cuts
async def test_F23_who_is_not_connected_but_has_written_since_is_not_dead(
    log: EventLog, connection: Any, alice: str
) -> None:
    keeper = Maintenance(log, ME, Connections(), each_scan=lambda: None)
    job_id = add_job(connection, alice)
    claimed(connection, owner=OTHER)  # who has no connection
    for _ in range(5):
        await keeper.scan()
        assert job_row(connection, job_id)["status"] == "running"
        assert leases.fence(connection, job_id, 1, 0, leases.lease_end(utcnow())) is not None
    await keeper.scan()
    await keeper.scan()
    assert job_row(connection, job_id)["status"] == "queued"


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1), timedelta(days=3650)])
async def test_F26_jumps_of_the_wall_clock_neither_lose_nor_double_a_lease(
    keeper: Maintenance,
    connection: Any,
    alice: str,
    clock: Clock,
    neighbour: ProcessLock,
    jump: timedelta,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job_id = add_job(connection, alice)
    claimed(connection, owner=OTHER)
    await keeper.scan()
    for module in (maintenance, leases):
        monkeypatch.setattr(module, "utcnow", lambda: datetime.now(UTC) + jump)
    clock.now += 5
    await keeper.scan()
    assert job_row(connection, job_id)["status"] == "running"
    clock.now += 11
    await keeper.scan()
    assert job_row(connection, job_id)["status"] == "queued"
    make_due(connection)
    assert claimed(connection, owner=OTHER).attempt == 2


async def test_a_job_that_this_process_runs_is_never_rescued_by_itself(
    keeper: Maintenance, log: EventLog, connection: Any, alice: str, clock: Clock
) -> None:
    job_id = add_job(connection, alice)
    log.adopt(claimed(connection, owner=ME))
    for _ in range(3):
        await keeper.scan()
        clock.now += 60
    assert job_row(connection, job_id)["status"] == "running"


async def test_what_this_process_let_go_is_taken_back_without_counting_a_crash(
    keeper: Maintenance, connection: Any, alice: str, clock: Clock
) -> None:
    job_id = add_job(connection, alice)
    claimed(connection, owner=ME)  # its claim was cancelled before it came to run
    await keeper.scan()
    clock.now += 2.1
    await keeper.scan()
    row = job_row(connection, job_id)
    assert (row["status"], row["crashes"]) == ("queued", 0)
    assert claim(connection) is not None  # and at once


async def test_F25_the_third_crash_ends_the_job_as_poisoned(
    keeper: Maintenance, stub: StubHandler, hub: Hub, connection: Any, alice: str
) -> None:
    job_id = add_job(connection, alice)
    for crashes in range(1, 4):
        make_due(connection)
        claimed(connection, owner=OTHER)  # whose lock does not exist: it is dead
        with hub.watch(job_id) as viewer:
            await keeper.scan()
            shown = [event.event for event in viewer.take()]
        assert job_row(connection, job_id)["crashes"] == crashes
        assert shown == (["status"] if crashes < 3 else ["done"])
    row = job_row(connection, job_id)
    assert row["status"] == "failed"
    assert '"poisoned"' in row["error"]
    ((abandoned, status, error),) = stub.abandonments
    assert (abandoned, status) == (job_id, JobStatus.failed)
    assert error is not None
    assert error["code"] == "poisoned"


async def test_F25_a_second_crash_in_a_row_puts_the_job_off_until_the_others_are_done(
    keeper: Maintenance, connection: Any, alice: str
) -> None:
    job_id = add_job(connection, alice)
    for at_least, at_most in ((0.2, 0.8), (7, 23)):
        make_due(connection)
        claimed(connection, owner=OTHER)
        await keeper.scan()
        waits = datetime.fromisoformat(job_row(connection, job_id)["run_after"]) - datetime.now(UTC)
        assert at_least - 0.2 < waits.total_seconds() < at_most


async def test_F25_a_job_that_gets_on_is_not_what_kills_the_server(
    keeper: Maintenance, connection: Any, alice: str
) -> None:
    job_id = add_job(connection, alice)
    for attempt in range(1, 7):
        make_due(connection)
        claimed(connection, owner=OTHER)
        fenced = leases.fence(connection, job_id, attempt, 1, "")
        assert fenced is not None
        leases.append_at(connection, job_id, attempt, fenced[0], "delta", {"text": "on "})
        await keeper.scan()
    assert job_row(connection, job_id)["status"] == "queued"


async def test_F25_a_job_whose_end_cannot_be_written_ends_as_poisoned(
    keeper: Maintenance, stub: StubHandler, log: EventLog, connection: Any, alice: str, clock: Clock
) -> None:
    """Else it would be run again for ever."""

    def fail(_: Any) -> None:
        raise ValueError("an effect that cannot be")

    job_id = add_job(connection, alice)
    for _ in range(3):
        make_due(connection)
        lease = log.adopt(claimed(connection, owner=ME))
        assert not await log.finish(lease, End(JobStatus.succeeded, effects=[fail]))
        await keeper.scan()
        clock.now += 2.1
        await keeper.scan()
    assert job_row(connection, job_id)["status"] == "failed"


async def test_F25_a_server_that_has_only_just_started_leaves_a_suspect_alone(
    keeper: Maintenance, connection: Any, alice: str
) -> None:
    suspect, other = add_job(connection, alice), add_job(connection, alice)
    connection.execute("UPDATE jobs SET crashes = 2 WHERE id = ?", (suspect,))
    make_due(connection)
    await keeper.scan()  # a new server's first: kills from outside cannot hit the suspect now
    begun = to_text(utcnow() + timedelta(seconds=7))
    assert job_row(connection, suspect)["run_after"] > begun > job_row(connection, other)["run_after"]
    make_due(connection)
    await keeper.scan()  # and no more than once
    assert job_row(connection, suspect)["run_after"] < begun


async def test_one_job_that_cannot_be_rescued_does_not_keep_the_others_from_it(
    keeper: Maintenance, stub: StubHandler, connection: Any, alice: str
) -> None:
    def fail(_: Any) -> None:
        raise ValueError("an effect that cannot be")

    stub.abandoning = fail
    bad, good = add_job(connection, alice), add_job(connection, alice)
    connection.execute("UPDATE jobs SET crashes = 2 WHERE id = ?", (bad,))
    for _ in range(2):
        claimed(connection, owner=OTHER)
    await keeper.scan()
    assert job_row(connection, bad)["status"] == "running"
    assert job_row(connection, good)["status"] == "queued"


async def test_a_cancel_wins_over_the_rescue(
    keeper: Maintenance, stub: StubHandler, connection: Any, alice: str
) -> None:
    job_id = add_job(connection, alice)
    claimed(connection, owner=OTHER)
    connection.execute("UPDATE jobs SET cancel_requested_at = ?", (to_text(utcnow()),))
    await keeper.scan()
    assert job_row(connection, job_id)["status"] == "cancelled"
    assert [status for _, status, _ in stub.abandonments] == [JobStatus.cancelled]

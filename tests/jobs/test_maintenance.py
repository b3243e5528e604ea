"""Rescue, fold, prune: scan by scan, with a clock that the test turns."""

import asyncio
from collections.abc import Callable
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
from app.jobs.liveness import ProcessLock
from app.jobs.maintenance import Maintenance
from app.jobs.notify import Hub
from app.jobs.states import JobStatus
from tests.jobs.rows import add_job, broken_invariants, claim, claimed, job_row, log_of
from tests.jobs.stub import StubHandler
from tests.jobs.test_liveness import holder
from tests.jobs.waiting import until

ME, OTHER = "process-1-me", "process-2-other"


class Clock:
    """This process's monotonic clock."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(maintenance, "monotonic", clock)
    return clock


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


@pytest.fixture
def keeper(log: EventLog, run_dir: Path) -> Maintenance:
    return Maintenance(log, ME, run_dir, each_scan=lambda: None)


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


async def test_a_log_folds_a_minute_after_the_end(
    keeper: Maintenance, connection: Any, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, running = add_job(connection, alice), add_job(connection, alice)
    leases.end(connection, ended, 0, End(JobStatus.cancelled))

    async def scan_after(seconds: float) -> tuple[int, int]:
        monkeypatch.setattr(maintenance, "utcnow", lambda: datetime.now(UTC) + timedelta(seconds=seconds))
        await keeper.scan()
        return job_row(connection, ended)["folded"], len(log_of(connection, ended))

    assert await scan_after(58) == (0, 2)
    assert await scan_after(61) == (1, 0)
    assert job_row(connection, ended)["last_event_id"] == 2
    assert (job_row(connection, running)["folded"], len(log_of(connection, running))) == (0, 1)


async def test_row_ids_of_a_folded_log_are_never_used_again(
    keeper: Maintenance, connection: Any, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    leases.end(connection, add_job(connection, alice), 0, End(JobStatus.cancelled))
    highest = connection.execute("SELECT max(id) FROM job_events").fetchone()[0]
    monkeypatch.setattr(maintenance, "utcnow", lambda: datetime.now(UTC) + timedelta(hours=1))
    await keeper.scan()
    assert connection.execute("SELECT count(*) FROM job_events").fetchone() == (0,)
    add_job(connection, alice)
    assert connection.execute("SELECT min(id) FROM job_events").fetchone()[0] > highest


async def test_keys_live_for_a_day_and_are_pruned_hourly(
    keeper: Maintenance, connection: Any, alice: str, clock: Clock
) -> None:
    job_id = add_job(connection, alice)

    def add_key(key: str, age: timedelta) -> None:
        row = (alice, key, "print", job_id, "{}", to_text(utcnow() - age))
        connection.execute("INSERT INTO idempotency_keys VALUES (?, ?, ?, ?, ?, ?)", row)

    def keys() -> list[str]:
        return [row[0] for row in connection.execute("SELECT key FROM idempotency_keys ORDER BY key").fetchall()]

    add_key("new", timedelta(hours=23, minutes=59))
    add_key("old", timedelta(hours=24, minutes=1))
    await keeper.scan()
    assert keys() == ["new"]
    add_key("old again", timedelta(hours=25))
    await keeper.scan()
    assert keys() == ["new", "old again"]
    clock.now += 3601
    await keeper.scan()
    assert keys() == ["new"]


async def test_a_scan_that_fails_is_not_the_last_one(
    log: EventLog, run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "SCAN_SECONDS", 0.01)
    scans: list[int] = []

    def each_scan() -> None:
        scans.append(1)
        if len(scans) == 1:
            raise OSError("the run folder is away")

    keeper = Maintenance(log, ME, run_dir, each_scan=each_scan)
    keeper.start()
    condition: Callable[[], bool] = lambda: len(scans) >= 3  # noqa: E731
    await until(condition)
    await asyncio.wait_for(keeper.stop(), 2)

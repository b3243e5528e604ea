"""Fold and prune, and the loop that does all."""

import asyncio
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
from app.jobs.liveness import FileLocks
from app.jobs.maintenance import Maintenance
from app.jobs.states import JobStatus
from tests.jobs.keeping import ME, Clock
from tests.jobs.rows import add_job, job_row, log_of
from tests.jobs.waiting import until


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

    keeper = Maintenance(log, ME, FileLocks(run_dir), each_scan=each_scan)
    keeper.start()
    await until(lambda: len(scans) >= 3)
    await asyncio.wait_for(keeper.stop(), 2)

"""Group commit, numbers, durable before visible, and the waiting callers."""

import asyncio
from typing import Any

import orjson
import pytest

from app.db.session import Database
from app.jobs import event_log
from app.jobs.event_log import EventLog, Lease
from app.jobs.lease import Claimed, End, StoredEvent
from app.jobs.notify import Hub
from app.jobs.states import JobStatus
from tests.databases import SQLITE, chosen
from tests.jobs.rows import add_job, broken_invariants, claimed, job_row, log_of, text_of
from tests.jobs.waiting import until


@pytest.fixture
def leased(log: EventLog, connection: Any, alice: str) -> Lease:
    add_job(connection, alice)
    return log.adopt(claimed(connection))


def another(log: EventLog, connection: Any, user_id: str, **columns: Any) -> Lease:
    add_job(connection, user_id, **columns)
    return log.adopt(claimed(connection))


async def test_neighbouring_deltas_of_a_kind_become_one_event(log: EventLog, connection: Any, leased: Lease) -> None:
    for event, data in [
        ("thinking", "a"),
        ("thinking", "b"),
        ("delta", "c"),
        ("delta", "d"),
        ("restart", {"reason": "r"}),
        ("delta", "e"),
        ("delta", "f"),
        ("thinking", "g"),
    ]:
        log.append(leased, event, data)
    assert await log.flush(leased)
    assert [(seq, event, data) for seq, _, event, data in log_of(connection, leased.id)][2:] == [
        (3, "thinking", {"text": "ab"}),
        (4, "delta", {"text": "cd"}),
        (5, "restart", {"reason": "r"}),
        (6, "delta", {"text": "ef"}),
        (7, "thinking", {"text": "g"}),
    ]
    assert log.commits == 1


async def test_a_busy_server_commits_many_jobs_at_once(log: EventLog, connection: Any, alice: str) -> None:
    leases = [another(log, connection, alice) for _ in range(20)]
    for number in range(50):
        for lease in leases:
            log.append(lease, "delta", f"{number} ")
        if number % 10 == 9:
            await asyncio.sleep(0)
    assert all(await asyncio.gather(*(log.flush(lease) for lease in leases)))
    assert log.commits < 10
    whole = "".join(f"{number} " for number in range(50))
    assert {text_of(connection, lease.id) for lease in leases} == {whole}
    assert broken_invariants(connection) == []


async def test_I4_what_is_published_is_already_seen_by_another_connection(
    log: EventLog, hub: Hub, connection: Any, leased: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = hub.publish
    seen: list[bool] = []

    def checked(job_id: str, events: Any) -> None:
        stored = {(seq, event) for seq, _, event, _ in log_of(connection, job_id)}
        seen.extend((event.seq, event.event) in stored for event in events)
        publish(job_id, events)

    monkeypatch.setattr(hub, "publish", checked)
    for number in range(30):
        log.append(leased, "delta", f"{number}")
        await asyncio.sleep(0.001)
    assert await log.finish(leased, End(JobStatus.succeeded))
    assert len(seen) > 2
    assert all(seen)


async def test_numbers_are_contiguous_across_attempts(log: EventLog, connection: Any, leased: Lease) -> None:
    log.append(leased, "delta", "one")
    assert await log.flush(leased)
    connection.execute("UPDATE jobs SET status = 'queued', lease_owner = NULL, leased_until = NULL")
    second = log.adopt(claimed(connection))
    log.append(second, "delta", " two")
    assert await log.finish(second, End(JobStatus.succeeded))
    assert [(seq, attempt) for seq, attempt, *_ in log_of(connection, second.id)] == [
        (1, 0),
        (2, 1),
        (3, 1),
        (4, 2),
        (5, 2),
        (6, 2),
    ]
    assert text_of(connection, second.id) == "one two"
    assert broken_invariants(connection) == []


async def test_F06_a_stopped_runner_writes_nothing_after_its_lease_is_lost(
    log: EventLog, connection: Any, leased: Lease
) -> None:
    connection.execute("UPDATE jobs SET status = 'queued', lease_owner = NULL, leased_until = NULL")
    newer = claimed(connection, owner="process-2-other")
    before = log_of(connection, leased.id)
    leased.task = asyncio.create_task(asyncio.sleep(60))
    log.append(leased, "delta", "too late")
    assert not await log.flush(leased)
    assert not await log.finish(leased, End(JobStatus.succeeded))
    assert leased.stop_reason == event_log.LOST
    with pytest.raises(asyncio.CancelledError):
        await leased.task
    assert log_of(connection, leased.id) == before
    assert (job_row(connection, newer.id)["attempt"], job_row(connection, newer.id)["status"]) == (2, "running")
    assert list(log.leases) == []


async def test_the_end_brings_the_rest_of_the_text_and_done_in_one_commit(
    log: EventLog, hub: Hub, connection: Any, leased: Lease, commits: list[Any]
) -> None:
    with hub.watch(leased.id) as viewer:
        log.append(leased, "delta", "the rest")
        end = End(JobStatus.succeeded, events=[("usage", {"prompt_tokens": 1})], result={"message_id": "m"})
        assert await log.finish(leased, end)
        shown = viewer.take()
    assert [event.event for event in shown] == ["delta", "usage", "done"]
    assert shown == [
        StoredEvent(*row)
        for row in connection.execute(
            "SELECT seq, event, data FROM job_events WHERE job_id = ? AND seq > 2 ORDER BY seq", (leased.id,)
        )
    ]
    assert log.commits == 1
    assert len(commits) == 1 or chosen() != SQLITE  # elsewhere row ids mean nothing
    assert job_row(connection, leased.id)["status"] == "succeeded"
    assert list(log.leases) == []


@pytest.mark.sqlite
async def test_the_log_tells_which_rows_are_its_own(
    log: EventLog, connection: Any, leased: Lease, commits: list[Any]
) -> None:
    log.append(leased, "delta", "x")
    await log.flush(leased)
    last = connection.execute("SELECT max(id) FROM job_events").fetchone()[0]
    assert commits == [(last, last)]
    await log.flush(leased)  # nothing new: a beat, without a row
    assert commits[-1] == (last + 1, last)


async def test_one_jobs_bad_effect_does_not_hold_up_the_others(log: EventLog, connection: Any, alice: str) -> None:
    good, bad, other = (another(log, connection, alice) for _ in range(3))

    def fail(_: Any) -> None:
        raise ValueError("an effect that cannot be")

    log.append(good, "delta", "good")
    log.append(other, "delta", "other")
    how = End(JobStatus.succeeded, effects=[fail])
    flushed, finished, others = await asyncio.gather(log.flush(good), log.finish(bad, how), log.flush(other))
    assert (flushed, finished, others) == (True, False, True)
    assert text_of(connection, good.id) == "good"
    assert text_of(connection, other.id) == "other"
    assert job_row(connection, bad.id)["status"] == "running"  # as if its runner had died: maintenance has it next
    assert {lease.id for lease in log.leases} == {good.id, other.id}
    assert broken_invariants(connection) == []


async def test_a_cancelled_waiter_harms_neither_the_commit_nor_the_next_waiter(
    log: EventLog, connection: Any, leased: Lease
) -> None:
    log.append(leased, "delta", "kept")
    impatient = asyncio.create_task(log.flush(leased))
    patient = asyncio.create_task(log.flush(leased))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient
    with pytest.raises(asyncio.CancelledError):
        await impatient
    log.append(leased, "delta", " and more")
    assert await log.flush(leased)
    assert text_of(connection, leased.id) == "kept and more"


async def test_a_cancelled_caller_of_run_leaves_no_transaction_open(log: EventLog, connection: Any, alice: str) -> None:
    import threading

    inside, go_on = threading.Event(), threading.Event()

    def step(on: Any) -> None:
        inside.set()
        go_on.wait(5)
        on.execute("UPDATE users SET locale = 'zh'")

    caller = asyncio.create_task(log.run(step))
    await asyncio.to_thread(inside.wait, 5)
    caller.cancel()
    await asyncio.sleep(0)
    follower = asyncio.create_task(log.run(lambda on: on.execute("SELECT locale FROM users").fetchone()))
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert await follower == ("zh",)


async def test_a_failed_step_leaves_nothing(log: EventLog, connection: Any, alice: str) -> None:
    def step(on: Any) -> None:
        on.execute("UPDATE users SET locale = 'zh'")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await log.run(step)
    assert connection.execute("SELECT locale FROM users").fetchone() == ("en",)
    assert await log.run(lambda on: on.execute("SELECT 1").fetchone()) == (1,)


async def test_a_quiet_job_keeps_its_lease_by_beats(
    log: EventLog, connection: Any, leased: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat = job_row(connection, leased.id)["beat"]
    monkeypatch.setattr(event_log, "BEAT_SECONDS", 0.05)
    log._work.set()
    await until(lambda: job_row(connection, leased.id)["beat"] >= beat + 2)
    assert [event for *_, event, _ in log_of(connection, leased.id)] == ["status", "status"]


async def test_a_cancel_asked_for_elsewhere_is_heard_with_the_next_commit(
    log: EventLog, connection: Any, leased: Lease
) -> None:
    leased.task = asyncio.create_task(asyncio.sleep(60))
    connection.execute("UPDATE jobs SET cancel_requested_at = '2026-11-24T00:00:00.000000Z'")
    log.append(leased, "delta", "x")
    assert await log.flush(leased)
    assert leased.stop_reason == event_log.CANCEL
    await until(leased.task.cancelled)


async def test_a_stop_during_the_end_comes_too_late(log: EventLog, connection: Any, leased: Lease) -> None:
    leased.task = asyncio.create_task(log.finish(leased, End(JobStatus.succeeded)))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    leased.stop(event_log.CANCEL)
    assert await leased.task is True  # type: ignore[func-returns-value]
    assert leased.stop_reason is None
    assert job_row(connection, leased.id)["status"] == "succeeded"


async def test_stopping_commits_what_there_is(database: Database, hub: Hub, connection: Any, alice: str) -> None:
    log = EventLog(database, hub, lambda first, last: None)
    await log.start()
    lease = another(log, connection, alice)
    log.append(lease, "delta", "the last words")
    waiter = asyncio.create_task(log.flush(lease))
    await asyncio.sleep(0)
    await log.stop()
    assert await asyncio.wait_for(waiter, 2)
    assert text_of(connection, lease.id) == "the last words"


async def test_text_that_waits_is_measured_and_comes_down_again(log: EventLog, connection: Any, leased: Lease) -> None:
    log.append(leased, "delta", "x" * 1000)
    log.append(leased, "restart", {})
    assert leased.pending_bytes == 1000 + 2 * 64
    await log.flush(leased)
    assert leased.pending_bytes == 0
    assert isinstance(leased.job, Claimed)


async def test_of_progress_only_the_newest_waits(log: EventLog, connection: Any, leased: Lease) -> None:
    for done in range(10_000):
        log.progress(leased, done, None, "bytes")
    assert len(leased.pending) == 1
    await log.flush(leased)
    assert orjson.loads(job_row(connection, leased.id)["progress"])["done"] == 9999

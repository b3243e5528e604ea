"""F23: a commit whose answer was cut off. What it wrote is neither lost nor written twice."""

from typing import Any

import pytest

from app.jobs import event_log
from app.jobs.event_log import EventLog
from app.jobs.lease import End
from app.jobs.notify import Hub
from app.jobs.states import JobStatus
from tests.jobs.rows import add_job, broken_invariants, claimed, log_of, text_of


@pytest.mark.postgresql  # SQLite knows what it has committed
@pytest.mark.parametrize("landed", [True, False])
async def test_F23_what_a_cut_commit_wrote_is_written_once(
    log: EventLog, hub: Hub, connection: Any, alice: str, monkeypatch: pytest.MonkeyPatch, landed: bool
) -> None:
    monkeypatch.setattr(event_log, "RETRY_SECONDS", 0.05)
    add_job(connection, alice)
    lease = log.adopt(claimed(connection))
    run, cuts = log._transaction, [0, 2]

    def cut(step: Any) -> Any:
        """The second and third commits are cut, after they were made or before."""
        cuts[0] += 1
        if not 1 < cuts[0] <= 1 + cuts[1]:
            return run(step)
        if landed:
            run(step)
        raise log.transient[0]("the connection was cut")

    monkeypatch.setattr(log, "_transaction", cut)
    with hub.watch(lease.id) as viewer:
        for word in ("one ", "two ", "three ", "four "):
            log.append(lease, "delta", word)
            if word == "one ":
                assert await log.flush(lease)
        log.append(lease, "thinking", "hm")
        assert await log.flush(lease)
        log.append(lease, "delta", "five")
        assert await log.finish(lease, End(JobStatus.succeeded))
        seen = viewer.take()
    assert cuts[0] >= 4
    assert text_of(connection, lease.id) == "one two three four five"
    assert [event.seq for event in seen] == list(range(3, 3 + len(seen)))
    assert [(e.seq, e.event) for e in seen] == [(seq, event) for seq, _, event, _ in log_of(connection, lease.id)][2:]
    assert broken_invariants(connection) == []

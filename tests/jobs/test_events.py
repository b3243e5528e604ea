"""What a log comes to."""

from typing import Any

from app.db.session import Database
from app.jobs import lease
from app.jobs.events import LogText, read_after, replay
from app.jobs.lease import StoredEvent, to_json
from tests.jobs.rows import add_job


def test_texts_add_up_snapshots_replace_and_restarts_keep_the_old() -> None:
    text = LogText()
    text.apply("delta", {"text": "a"})
    text.apply("thinking", {"text": "t"})
    text.apply("delta", {"text": "b"})
    assert (text.content, text.thinking) == ("ab", "t")
    text.apply("snapshot", {"content": "S", "thinking": "T"})
    text.apply("delta", {"text": "c"})
    assert (text.content, text.thinking, text.superseded) == ("Sc", "T", [])
    text.apply("restart", {"reason": "r"})
    assert (text.content, text.thinking) == ("", "")
    assert text.superseded == [{"content": "Sc", "thinking": "T", "reason": "r"}]
    text.apply("restart", {"reason": "again"})
    assert len(text.superseded) == 1  # there was nothing to replace


def test_other_events_change_nothing() -> None:
    events = [
        StoredEvent(1, "status", "{}"),
        StoredEvent(2, "delta", to_json({"text": "x"})),
        StoredEvent(3, "done", "{}"),
    ]
    assert replay(events).content == "x"


async def test_a_log_is_read_after_a_position_in_order_and_in_parts(
    database: Database, connection: Any, alice: str
) -> None:
    job_id = add_job(connection, alice)
    lease.append_rows(connection, [(job_id, seq, 1, "delta", to_json({"text": str(seq)})) for seq in (4, 2, 3, 5)])
    async with database.read() as session:
        assert [event.seq for event in await read_after(session, job_id, 0)] == [1, 2, 3, 4, 5]
        assert [event.seq for event in await read_after(session, job_id, 2, limit=2)] == [3, 4]
        assert await read_after(session, job_id, 5) == []
        assert await read_after(session, "another", 0) == []

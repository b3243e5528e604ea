"""Jobs straight into the database by plain SQL, and what stands there afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import orjson

from app.clock import utcnow
from app.db.types import to_text
from app.ids import new_id
from app.jobs import lease
from app.jobs.lease import Claimed

OWNER = "process-1-test"
_USER = """
INSERT INTO users (id, username, username_folded, email, email_folded, password_hash, role, locale, created_at)
VALUES (:id, :name, :name, :email, :email, '!', 'member', 'en', :now)
"""
_JOB = """
INSERT INTO jobs (id, kind, user_id, payload, queue, priority, sequence_key, blocked, run_after, status, attempt,
  failures, crashes, beat, last_event_id, folded, created_at)
VALUES (:id, :kind, :user_id, :payload, :queue, :priority, :key,
  CASE WHEN EXISTS (SELECT 1 FROM jobs WHERE sequence_key = :key AND status IN ('queued', 'running')) THEN 1 ELSE 0 END,
  :run_after, 'queued', 0, 0, 0, 0, 1, 0, :now)
"""


@contextmanager
def transaction(connection: Any) -> Iterator[Any]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def add_user(connection: Any, name: str) -> str:
    user_id = new_id()
    connection.execute(_USER, {"id": user_id, "name": name, "email": f"{name}@example.org", "now": to_text(utcnow())})
    return user_id


def add_job(
    connection: Any,
    user_id: str,
    *,
    kind: str = "stub",
    queue: str = "ollama",
    priority: int = 0,
    sequence_key: str | None = None,
    run_after: datetime | None = None,
    payload: dict[str, Any] | None = None,
) -> str:
    """As `enqueue` does, for tests that have no session."""
    job_id, now = new_id(), to_text(utcnow())
    columns = {
        "id": job_id,
        "kind": kind,
        "user_id": user_id,
        "payload": orjson.dumps(payload or {}).decode(),
        "queue": queue,
        "priority": priority,
        "key": sequence_key,
        "run_after": to_text(run_after) if run_after else now,
        "now": now,
    }
    connection.execute(_JOB, columns)
    lease.append_at(connection, job_id, 0, 1, "status", {"status": "queued", "attempt": 0, "position": 1})
    return job_id


def claim(
    connection: Any,
    *,
    queue: str = "ollama",
    priority: int = 0,
    owner: str = OWNER,
    slots: int = 0,
    per_user: int = 0,
    **more: Any,
) -> Claimed | None:
    return lease.claim(connection, queue=queue, priority=priority, owner=owner, slots=slots, per_user=per_user, **more)


def claimed(connection: Any, **changes: Any) -> Claimed:
    job = claim(connection, **changes)
    assert job is not None
    return job


def job_row(connection: Any, job_id: str) -> dict[str, Any]:
    cursor = connection.execute("SELECT * FROM jobs WHERE id = ?", (job_id,))
    return dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))


def log_of(connection: Any, job_id: str) -> list[tuple[int, int, str, Any]]:
    """(seq, attempt, event, data), in order."""
    rows = connection.execute(
        "SELECT seq, attempt, event, data FROM job_events WHERE job_id = ? ORDER BY seq", (job_id,)
    )
    return [(seq, attempt, event, orjson.loads(data)) for seq, attempt, event, data in rows]


def text_of(connection: Any, job_id: str) -> str:
    return "".join(data["text"] for _, _, event, data in log_of(connection, job_id) if event == "delta")


_INVARIANTS = {
    "I2 a generating message whose job has ended": """
        SELECT m.id FROM messages m JOIN jobs j ON j.id = m.job_id
        WHERE m.status = 'generating' AND j.status IN ('succeeded', 'failed', 'cancelled')""",
    "I2 an ended job without its one done": """
        SELECT id FROM jobs j WHERE status IN ('succeeded', 'failed', 'cancelled') AND folded = 0
        AND (SELECT count(*) FROM job_events e WHERE e.job_id = j.id AND event = 'done') <> 1""",
    "I2 a done whose job goes on": """
        SELECT j.id FROM jobs j JOIN job_events e ON e.job_id = j.id
        WHERE e.event = 'done' AND j.status IN ('queued', 'running')""",
    "I2 something after done": """
        SELECT e.job_id FROM job_events e JOIN job_events d ON d.job_id = e.job_id AND d.event = 'done'
        WHERE e.seq > d.seq""",
    "I3 an event of an older attempt after one of a newer": """
        SELECT a.job_id FROM job_events a JOIN job_events b ON b.job_id = a.job_id AND b.seq < a.seq
        WHERE b.attempt > a.attempt""",
    "I5 numbers with a gap, or not the job's own": """
        SELECT j.id FROM jobs j WHERE folded = 0 AND j.last_event_id <>
          (SELECT count(*) FROM job_events e WHERE e.job_id = j.id AND e.seq BETWEEN 1 AND j.last_event_id)""",
    "a lease on a job that does not run, or none on one that does": """
        SELECT id FROM jobs WHERE (status = 'running') <> (lease_owner IS NOT NULL AND leased_until IS NOT NULL)""",
    "an end without its time, or the reverse": """
        SELECT id FROM jobs WHERE (status IN ('succeeded', 'failed', 'cancelled')) <> (finished_at IS NOT NULL)""",
    "two of one sequence at once": """
        SELECT sequence_key FROM jobs WHERE sequence_key IS NOT NULL AND status = 'running'
        GROUP BY sequence_key HAVING count(*) > 1""",
    "who waits is counted wrong": """
        SELECT user_id, queue, priority, sum(n) FROM (
          SELECT user_id, queue, priority, jobs AS n FROM waiting_users
          UNION ALL SELECT user_id, queue, priority, moved FROM queue_moves
          UNION ALL SELECT user_id, queue, priority, -1 FROM jobs WHERE status = 'queued'
        ) AS counted GROUP BY user_id, queue, priority HAVING sum(n) <> 0""",
    "a sequence that waits for nobody": """
        SELECT sequence_key FROM jobs WHERE sequence_key IS NOT NULL AND status IN ('queued', 'running')
        GROUP BY sequence_key HAVING min(blocked) = 1""",
}


def broken_invariants(connection: Any) -> list[str]:
    """Names of the promises that the database breaks, with the rows; empty is good."""
    found = {name: connection.execute(query).fetchall() for name, query in _INVARIANTS.items()}
    return [f"{name}: {rows}" for name, rows in found.items() if rows]

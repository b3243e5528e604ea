"""Claim, renew, release, end: the only writer of the lease columns and of a job's status.

Everything here is one step of a transaction that the caller has begun on a plain connection (jobs/event_log.py owns
it). A statement that finds no row means that the lease is lost: whoever gets that answer writes nothing more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import orjson

from app.clock import utcnow
from app.db.turn import hold
from app.db.types import to_text
from app.ids import new_id
from app.jobs.counts import count_moves, started
from app.jobs.states import JobStatus, status_data, trouble

LEASE_SECONDS = 15.0
MAX_CRASHES = 3
LONGEST_PAUSE = timedelta(minutes=6)  # nothing is put off for longer: what seems to be, a wall clock has been set back


class Connection(Protocol):
    """What a DB-API connection offers here."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Any: ...
    def executemany(self, sql: str, parameters: Any, /) -> Any: ...


Effect = Callable[[Connection], None]
"""A domain's part of a transaction: it may write its own rows, never a job's."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that this process may now run. `attempt` is the fencing token."""

    id: str
    kind: str
    attempt: int
    user_id: str
    conversation_id: str | None
    message_id: str | None
    queue: str
    payload: dict[str, Any]
    failures: int
    failing_since: datetime | None
    last_event_id: int
    spent: dict[str, Any] = field(default_factory=dict)  # by earlier attempts
    priority: int = 0

    @property
    def event(self) -> "StoredEvent":
        """The `status` event that the claim wrote."""
        return StoredEvent(self.last_event_id, "status", to_json(status_data(JobStatus.running, self.attempt)))


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A job that the end of another one brings, in the same transaction."""

    kind: str
    user_id: str
    queue: str
    conversation_id: str | None
    priority: int
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class End:
    """How a job ends: its last state, and what the domain writes in the same transaction."""

    status: JobStatus
    error: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    effects: Sequence[Effect] = field(default=())
    events: Sequence[tuple[str, dict[str, Any]]] = field(default=())  # before `done`
    follow_ups: Sequence[FollowUp] = field(default=())


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A committed line of a log. `data` is JSON text as it goes over the wire.

    `ended`, of a `done` that was just written: the job's kind and last status.
    """

    seq: int
    event: str
    data: str
    ended: tuple[str, str] | None = field(default=None, compare=False)


# Two claims at once would both see a free slot: on PostgreSQL, too, they take turns. Rows that somebody else
# holds at this moment, to cancel or to delete, are passed over.
_NEXT_OF_USER = """(
    SELECT q.id FROM jobs q WHERE q.status = 'queued' AND q.blocked = 0 AND q.queue = :queue
      AND q.priority = :priority AND q.user_id = w.user_id
      AND (q.run_after <= :now OR q.run_after > :horizon) ORDER BY q.id LIMIT 1)"""
# Who has nothing running comes first, who waited longest before the others: the first few rows of an index tell.
# Of others a user gets at most `share` of this queue.
_CLAIM = f"""
UPDATE jobs SET status = 'running', attempt = attempt + 1, lease_owner = :owner, leased_until = :until,
  beat = beat + 1, last_event_id = last_event_id + 1, started_at = coalesce(started_at, :now), phase = NULL
WHERE id = coalesce((
  SELECT j.id FROM waiting_users w INDEXED BY ix_waiting_users_turn
    JOIN jobs j ON j.status = 'queued' AND j.id = {_NEXT_OF_USER}
  WHERE w.queue = :queue AND w.priority = :priority AND w.jobs > 0
    AND w.user_id NOT IN (SELECT user_id FROM jobs INDEXED BY ix_jobs_running WHERE status = 'running')
  ORDER BY w.last_started, w.first_job LIMIT 1 /*postgres: FOR UPDATE OF j SKIP LOCKED */
), (
  SELECT j.id FROM (
    SELECT user_id, count(*) AS running FROM jobs INDEXED BY ix_jobs_running WHERE status = 'running'
    GROUP BY user_id HAVING count(*) < :per_user AND sum(CASE WHEN queue = :queue THEN 1 ELSE 0 END) < :share
  ) AS busy
  JOIN waiting_users w ON w.user_id = busy.user_id AND w.queue = :queue AND w.priority = :priority AND w.jobs > 0
  JOIN jobs j ON j.status = 'queued' AND j.id = {_NEXT_OF_USER}
  ORDER BY busy.running, w.last_started, j.id LIMIT 1 /*postgres: FOR UPDATE OF j SKIP LOCKED */
))
AND (SELECT count(*) FROM jobs WHERE status = 'running' AND queue = :queue) < :slots
RETURNING id, kind, attempt, user_id, conversation_id, message_id, queue,
  payload, failures, failing_since, last_event_id, spent, started_at, priority
"""  # noqa: S608

# Who adds to the log writes.
_FENCE = """
UPDATE jobs SET last_event_id = last_event_id + :events, beat = beat + 1, leased_until = :until,
  phase = CASE WHEN :events > 0 THEN 'writing' ELSE phase END
WHERE id = :id AND attempt = :attempt AND status = 'running' RETURNING last_event_id, cancel_requested_at
"""

_RENEW = "UPDATE jobs SET beat = beat + 1, leased_until = :until WHERE lease_owner = :owner AND status = 'running'"

_APPEND = "INSERT INTO job_events (job_id, seq, attempt, event, data) VALUES (?, ?, ?, ?, ?)"

_END = """
UPDATE jobs SET status = :status, error = :error, result = :result, finished_at = :now, blocked = 0,
  lease_owner = NULL, leased_until = NULL, last_event_id = last_event_id + 1, phase = NULL
WHERE id = :id AND attempt = :attempt AND status IN ('queued', 'running')
RETURNING last_event_id, sequence_key, kind
"""

_FOLLOW_UP = """
INSERT INTO jobs (id, kind, user_id, conversation_id, payload, queue, priority, blocked, run_after, status, attempt,
  failures, crashes, beat, last_event_id, folded, created_at)
VALUES (:id, :kind, :user_id, :conversation_id, :payload, :queue, :priority, 0, :now, 'queued', 0, 0, 0, 0, 1, 0, :now)
"""

_UNBLOCK = """
UPDATE jobs SET blocked = 0 WHERE id =
  (SELECT id FROM jobs WHERE sequence_key = :key AND status = 'queued' ORDER BY id LIMIT 1)
AND NOT EXISTS (SELECT 1 FROM jobs WHERE sequence_key = :key AND status = 'running')
"""

_RELEASE = """
UPDATE jobs SET status = 'queued', lease_owner = NULL, leased_until = NULL, run_after = :run_after,
  failures = :failures, failing_since = :failing_since, crashes = crashes + :crashed,
  error = :error, last_event_id = last_event_id + 1, phase = NULL, spent = coalesce(:spent, spent)
WHERE id = :id AND attempt = :attempt AND status = 'running'
RETURNING last_event_id, crashes
"""

_BRING_FORWARD = """
UPDATE jobs SET run_after = :now, last_event_id = last_event_id + 1
WHERE id = :id AND status = 'queued' AND run_after > :now AND error IS NOT NULL
RETURNING last_event_id, attempt, error
"""


def sequence(key: str) -> str:
    """What whoever adds to or takes from a sequence must hold: else a job could wait for one that has just ended."""
    return f"sequence {key}"


def to_json(value: Any) -> str:
    return orjson.dumps(value).decode()


def lease_end(now: datetime) -> str:
    return to_text(now + timedelta(seconds=LEASE_SECONDS))


def claim(
    connection: Connection,
    *,
    queue: str,
    priority: int,
    owner: str,
    slots: int,
    per_user: int,
    share: int = 0,
    newcomers: bool = False,
) -> Claimed | None:
    """The next job of `queue`: of the users under their cap, who has fewest running, then who waited longest.

    `slots`, `per_user` and `share` (of a user's in this queue): 0 = no limit. `newcomers`: of users who have nothing
    running only.
    """
    count_moves(connection)
    now = utcnow()
    row = connection.execute(
        _CLAIM,
        {
            "queue": queue,
            "priority": priority,
            "owner": owner,
            "now": to_text(now),
            "horizon": to_text(now + LONGEST_PAUSE),
            "until": lease_end(now),
            "slots": slots or 1_000_000,
            "per_user": per_user or 1_000_000,
            "share": 0 if newcomers else share or 1_000_000,
        },
    ).fetchone()
    if row is None:
        return None
    *columns, payload, failures, failing_since, last_event_id, spent, started_at, priority = row
    since = datetime.fromisoformat(failing_since) if failing_since else None
    earlier = orjson.loads(spent) if spent else {}
    counts = (failures, since, last_event_id, earlier, priority)
    claimed = Claimed(*columns, orjson.loads(payload), *counts)  # type: ignore[call-arg]
    started(connection, claimed.user_id, started_at)
    event = claimed.event
    append_rows(connection, [(claimed.id, event.seq, claimed.attempt, event.event, event.data)])
    return claimed


def fence(connection: Connection, job_id: str, attempt: int, events: int, until: str) -> tuple[int, bool] | None:
    """Renew the lease and take `events` numbers: (the last of them, whether a cancel was asked for); None if lost."""
    row = connection.execute(_FENCE, {"events": events, "until": until, "id": job_id, "attempt": attempt}).fetchone()
    return None if row is None else (row[0], row[1] is not None)


def renew(connection: Connection, owner: str) -> None:
    """The leases of this process, without a word of text."""
    connection.execute(_RENEW, {"owner": owner, "until": lease_end(utcnow())})


def last_event_of(connection: Connection, job_id: str, attempt: int) -> int | None:
    """The last number that the holder of the lease has taken; None if it is lost."""
    query = "SELECT last_event_id FROM jobs WHERE id = ? AND attempt = ? AND status = 'running'"
    row = connection.execute(query, (job_id, attempt)).fetchone()
    return None if row is None else int(row[0])


def cancel_requested(connection: Connection, job_id: str) -> bool:
    row = connection.execute("SELECT cancel_requested_at FROM jobs WHERE id = ?", (job_id,)).fetchone()
    return row is not None and row[0] is not None


def append_rows(connection: Connection, rows: Sequence[tuple[str, int, int, str, str]]) -> None:
    """Write log lines (job, seq, attempt, event, data) whose numbers a fence gave out."""
    connection.executemany(_APPEND, rows)


def write_progress(connection: Connection, job_id: str, progress: dict[str, Any]) -> None:
    """`{done, total, unit}` of a job whose fence was passed in this transaction."""
    connection.execute("UPDATE jobs SET progress = ? WHERE id = ?", (to_json(progress), job_id))


def write_phase(connection: Connection, job_id: str, phase: str) -> None:
    """Where a job stands whose fence was passed in this transaction."""
    connection.execute(
        "UPDATE jobs SET phase = ?, phase_at = ? WHERE id = ? AND coalesce(phase, '') <> ?",
        (phase, to_text(utcnow()), job_id, phase),
    )


def append_at(
    connection: Connection, job_id: str, attempt: int, seq: int, event: str, data: dict[str, Any]
) -> StoredEvent:
    stored = StoredEvent(seq, event, to_json(data))
    connection.execute(_APPEND, (job_id, seq, attempt, event, stored.data))
    return stored


def end(connection: Connection, job_id: str, attempt: int, how: End) -> StoredEvent | None:
    """Write the one terminal state with the `done` event and the domain's effects; None if the lease is lost."""
    row = connection.execute(
        _END,
        {
            "id": job_id,
            "attempt": attempt,
            "status": how.status,
            "error": how.error and to_json(how.error),
            "result": how.result and to_json(how.result),
            "now": to_text(utcnow()),
        },
    ).fetchone()
    if row is None:
        return None
    for effect in how.effects:
        effect(connection)
    if row[1] is not None:
        hold(connection, sequence(row[1]))
        connection.execute(_UNBLOCK, {"key": row[1]})
    for follow_up in how.follow_ups:
        _enqueue(connection, follow_up)
    done = append_at(connection, job_id, attempt, row[0], "done", {})
    return replace(done, ended=(row[2], how.status.value))


def _enqueue(connection: Connection, job: FollowUp) -> None:
    job_id = new_id()
    columns = {
        "id": job_id,
        "kind": job.kind,
        "user_id": job.user_id,
        "conversation_id": job.conversation_id,
        "payload": to_json(job.payload),
        "queue": job.queue,
        "priority": job.priority,
        "now": to_text(utcnow()),
    }
    connection.execute(_FOLLOW_UP, columns)
    append_at(connection, job_id, 0, 1, "status", status_data(JobStatus.queued, 0))


def release(
    connection: Connection,
    job_id: str,
    attempt: int,
    *,
    run_after: datetime | None = None,
    failures: int = 0,
    failing_since: datetime | None = None,
    error: dict[str, Any] | None = None,
    spent: dict[str, Any] | None = None,
    crashed: bool = False,
) -> tuple[StoredEvent, int] | None:
    """Give a running job back to the queue: its `status` event and its crashes so far; None if the lease is lost."""
    row = connection.execute(
        _RELEASE,
        {
            "id": job_id,
            "attempt": attempt,
            "run_after": to_text(run_after or utcnow()),
            "failures": failures,
            "failing_since": failing_since and to_text(failing_since),
            "crashed": int(crashed),
            "error": error and to_json(error),
            "spent": spent and to_json(spent),
        },
    ).fetchone()
    if row is None:
        return None
    waits = status_data(JobStatus.queued, attempt, **trouble(error, run_after))
    return append_at(connection, job_id, attempt, row[0], "status", waits), row[1]


def bring_forward(connection: Connection, job_id: str) -> StoredEvent | None:
    """Let a job that waits after a failure be tried now: its `status` event; None if it does not wait for that."""
    now = utcnow()
    row = connection.execute(_BRING_FORWARD, {"id": job_id, "now": to_text(now)}).fetchone()
    if row is None:
        return None
    last, attempt, error = row
    waits = status_data(JobStatus.queued, attempt, **trouble(orjson.loads(error), now))
    return append_at(connection, job_id, attempt, last, "status", waits)

"""Fold a job's log into the message that it wrote; a step of the transaction that ends the job."""

from typing import Any

from app.generations.allowance import settle
from app.jobs.events import replay
from app.jobs.lease import Connection, Effect, StoredEvent, to_json
from app.jobs.states import JobStatus

_LOG = "SELECT seq, event, data FROM job_events WHERE job_id = ? ORDER BY seq"
_JOB = "SELECT user_id, payload FROM jobs WHERE id = ?"
_MESSAGE = "SELECT m.id, m.superseded FROM messages m JOIN jobs j ON j.message_id = m.id WHERE j.id = ?"
_UPDATE = """
UPDATE messages SET content = ?, thinking = ?, superseded = ?, status = ?, finish_reason = ?, usage = ?, error = ?
WHERE id = ?
"""


def write_message(
    job_id: str,
    *,
    status: str,
    finish_reason: str | None = None,
    usage: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> Effect:
    """The message gets what the log comes to: what viewers saw is what is kept, by construction."""

    def effect(connection: Connection) -> None:
        log = [StoredEvent(*line) for line in connection.execute(_LOG, (job_id,)).fetchall()]
        user_id, payload = connection.execute(_JOB, (job_id,)).fetchone()
        settle(connection, user_id, payload, usage, sum(len(e.data) for e in log if e.event in ("delta", "thinking")))
        row = connection.execute(_MESSAGE, (job_id,)).fetchone()
        if row is None:
            return  # deleted meanwhile
        message_id, superseded = row
        text = replay(log)
        if text.superseded:
            superseded = _appended(superseded, text.superseded)
        connection.execute(
            _UPDATE,
            (
                text.content,
                text.thinking,
                superseded,
                status,
                finish_reason,
                usage and to_json(usage),
                error and to_json(error),
                message_id,
            ),
        )

    return effect


def _appended(old: str, new: list[dict[str, str]]) -> str:
    return old[:-1] + ("," if old != "[]" else "") + to_json(new)[1:]


def write_end(job_id: str, status: JobStatus, error: dict[str, Any] | None) -> Effect:
    """The message of a job that ended without finishing its answer."""
    if status == JobStatus.cancelled:
        return write_message(job_id, status="stopped", finish_reason="cancelled")
    return write_message(job_id, status="failed", error=error)

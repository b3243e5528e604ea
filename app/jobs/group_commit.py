"""A group commit, inside its transaction: each job's fence, joined events, end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.clock import utcnow
from app.jobs import lease as leases
from app.jobs.lease import Connection, End, StoredEvent

PROGRESS = "progress"  # kept on the job's row, not in its log: only the newest counts


@dataclass(frozen=True, slots=True)
class Part:
    """Fixed before the thread sees it. `pending` are events; a `delta` or `thinking` is given as text."""

    job_id: str
    attempt: int
    pending: list[tuple[str, Any]]
    end: End | None


@dataclass(frozen=True, slots=True)
class Written:
    """None as `events`: the lease was lost."""

    events: list[StoredEvent] | None
    cancel_requested: bool = False


def write(connection: Connection, parts: Sequence[Part]) -> list[Written]:
    """All jobs' parts. Their lines go in by one statement: each one lets go of the interpreter, and waits to get it."""
    rows: list[tuple[str, int, int, str, str]] = []
    written = [_write(connection, part, rows) for part in parts]
    leases.append_rows(connection, rows)
    return written


def _write(connection: Connection, part: Part, rows: list[tuple[str, int, int, str, str]]) -> Written:
    events = joined([item for item in part.pending if item[0] != PROGRESS])
    if part.end is not None:
        events += [(event, leases.to_json(data)) for event, data in part.end.events]
    fenced = leases.fence(connection, part.job_id, part.attempt, len(events), leases.lease_end(utcnow()))
    if fenced is None:
        return Written(None)
    first = fenced[0] - len(events) + 1
    stored = [StoredEvent(first + i, event, data) for i, (event, data) in enumerate(events)]
    rows += [(part.job_id, e.seq, part.attempt, e.event, e.data) for e in stored]
    progress = [data for event, data in part.pending if event == PROGRESS]
    if progress:
        leases.write_progress(connection, part.job_id, progress[-1])
    if part.end is not None:
        leases.append_rows(connection, rows)  # the end folds them into the message
        rows.clear()
        done = leases.end(connection, part.job_id, part.attempt, part.end)
        assert done is not None, "the fence held a moment ago"
        stored.append(done)
    return Written(stored, fenced[1])


def joined(pending: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    """Neighbouring deltas of a kind become one event."""
    found: list[tuple[str, str]] = []
    texts: list[str] = []
    kind = ""
    for event, data in [*pending, ("", None)]:
        if texts and event != kind:
            found.append((kind, leases.to_json({"text": "".join(texts)})))
            texts = []
        if isinstance(data, str):
            kind = event
            texts.append(data)
        elif event:
            found.append((event, leases.to_json(data)))
    return found

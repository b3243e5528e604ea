"""A group commit, inside its transaction: each job's fence, joined events, end."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.clock import utcnow
from app.jobs import lease as leases
from app.jobs.lease import Connection, End, StoredEvent

Row = tuple[str, int, int, str, str]
"""A line of the log: job, seq, attempt, event, data."""

# Kept on the job's row, not in its log: only the newest counts.
PROGRESS = "progress"
PHASE = "phase"
ON_ROW = (PROGRESS, PHASE)


@dataclass(frozen=True, slots=True)
class Part:
    """Fixed before the thread sees it. `pending` are events; a `delta` or `thinking` is given as text.

    `unsure` are events of a commit that nobody knows the outcome of (its connection was cut): if they are there, they
    stand behind `base`, the last event that is known to be.
    """

    job_id: str
    attempt: int
    pending: list[tuple[str, Any]]
    end: End | None
    base: int = 0
    unsure: list[tuple[str, str]] = field(default_factory=list)

    def tried(self) -> list[tuple[str, str]]:
        """What must be looked for before it is written again."""
        return [*self.unsure, *joined(_events_of(self.pending))]


@dataclass(frozen=True, slots=True)
class Written:
    """None as `events`: the lease was lost."""

    events: list[StoredEvent] | None
    cancel_requested: bool = False


_FENCE_ALL = """
UPDATE jobs SET last_event_id = last_event_id + w.events, beat = beat + 1, leased_until = :until,
  phase = CASE WHEN w.events > 0 THEN 'writing' ELSE phase END
FROM unnest(CAST(:ids AS text[]), CAST(:attempts AS integer[]), CAST(:events AS integer[])) AS w(id, attempt, events)
WHERE jobs.id = w.id AND jobs.attempt = w.attempt AND jobs.status = 'running'
RETURNING jobs.id, last_event_id, cancel_requested_at IS NOT NULL
"""
_APPEND_ALL = """
INSERT INTO job_events (job_id, seq, attempt, event, data) SELECT * FROM unnest(CAST(:jobs AS text[]),
  CAST(:seqs AS integer[]), CAST(:attempts AS integer[]), CAST(:kinds AS text[]), CAST(:data AS text[]))
"""


def write_all(connection: Connection, parts: Sequence[Part]) -> list[Written]:
    """In the order of `parts`. Where a statement is a journey (PostgreSQL) two of them do for all that just goes on."""
    if not hasattr(connection, "hold"):
        # Lines of all jobs by one statement: each one lets go of the interpreter, and waits to get it.
        rows: list[Row] = []
        inside = [_write(connection, part, rows) for part in parts]
        leases.append_rows(connection, rows)
        return inside
    plain = {part.job_id: joined(part.pending) for part in parts if _just_goes_on(part)}
    written = _write_plain(connection, [part for part in parts if part.job_id in plain], plain) if plain else {}
    # In one order for everybody, so that no two processes wait for each other.
    for part in sorted(parts, key=lambda part: part.job_id):
        if part.job_id not in plain:
            written[part.job_id] = write(connection, part)
    return [written[part.job_id] for part in parts]


def _just_goes_on(part: Part) -> bool:
    return part.end is None and not part.unsure and all(event not in ON_ROW for event, _ in part.pending)


def _write_plain(
    connection: Connection, parts: Sequence[Part], events: dict[str, list[tuple[str, str]]]
) -> dict[str, Written]:
    fences = {
        "ids": [part.job_id for part in parts],
        "attempts": [part.attempt for part in parts],
        "events": [len(events[part.job_id]) for part in parts],
        "until": leases.lease_end(utcnow()),
    }
    fenced = {row[0]: row for row in connection.execute(_FENCE_ALL, fences).fetchall()}
    written: dict[str, Written] = {}
    rows = []
    for part in parts:
        row = fenced.get(part.job_id)
        if row is None:
            written[part.job_id] = Written(None)
            continue
        first = row[1] - len(events[part.job_id]) + 1
        stored = [StoredEvent(first + i, event, data) for i, (event, data) in enumerate(events[part.job_id])]
        rows += [(part.job_id, e.seq, part.attempt, e.event, e.data) for e in stored]
        written[part.job_id] = Written(stored, bool(row[2]))
    if rows:
        columns = dict(
            zip(("jobs", "seqs", "attempts", "kinds", "data"), map(list, zip(*rows, strict=True)), strict=True)
        )
        connection.execute(_APPEND_ALL, columns)
    return written


def write(connection: Connection, part: Part) -> Written:
    rows: list[Row] = []
    written = _write(connection, part, rows)
    if rows:
        leases.append_rows(connection, rows)
    return written


def _write(connection: Connection, part: Part, rows: list[Row]) -> Written:
    """`rows` are the lines that are still to be written."""
    landed: list[tuple[str, str]] = []
    if part.unsure:
        last = leases.last_event_of(connection, part.job_id, part.attempt)
        if last is None:
            return Written(None)
        landed = part.unsure[: last - part.base]
    events = [*part.unsure[len(landed) :], *joined(_events_of(part.pending))]
    if part.end is not None:
        events += [(event, leases.to_json(data)) for event, data in part.end.events]
    fenced = leases.fence(connection, part.job_id, part.attempt, len(events), leases.lease_end(utcnow()))
    if fenced is None:
        return Written(None)
    first = fenced[0] - len(events) + 1
    stored = [StoredEvent(first + i, event, data) for i, (event, data) in enumerate(events)]
    rows += [(part.job_id, e.seq, part.attempt, e.event, e.data) for e in stored]
    stored[:0] = [StoredEvent(first - len(landed) + i, event, data) for i, (event, data) in enumerate(landed)]
    newest = dict(part.pending)
    if PROGRESS in newest:
        leases.write_progress(connection, part.job_id, newest[PROGRESS])
    if PHASE in newest and not events:
        leases.write_phase(connection, part.job_id, newest[PHASE]["phase"])
    if part.end is not None:
        if rows:
            leases.append_rows(connection, rows)  # the end folds them into the message
            rows.clear()
        done = leases.end(connection, part.job_id, part.attempt, part.end)
        assert done is not None, "the fence held a moment ago"
        stored.append(done)
    return Written(stored, fenced[1])


def _events_of(pending: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return [item for item in pending if item[0] not in ON_ROW]


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

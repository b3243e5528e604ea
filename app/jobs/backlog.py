"""What waits and what runs, as the database has it: for Prometheus."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.clock import utcnow
from app.db.lookup import Lookup
from app.db.types import to_text
from app.jobs.registry import kinds
from app.observability.metrics import Family

# By the indexes of what has not ended. Behind an earlier answer of its conversation, or put off, a job does not wait;
# nor does anybody wait for a title.
_BACKLOG = """
SELECT 'queued', kind, count(*), min(CASE WHEN blocked = 0 AND priority = 0 AND run_after <= :now THEN
  CASE WHEN created_at > run_after THEN created_at ELSE run_after END END)
FROM jobs WHERE status = 'queued' GROUP BY kind
UNION ALL
SELECT 'running', kind, count(*), min(started_at) FROM jobs WHERE status = 'running' GROUP BY kind
"""


@dataclass(frozen=True, slots=True)
class Line:
    """Jobs of a kind in one state: how many, and for how long the first of them, in seconds."""

    status: str
    kind: str
    count: int
    oldest: float


async def backlog(lookup: Lookup) -> Sequence[Line]:
    now = utcnow()
    rows = await lookup.all(_BACKLOG, {"now": to_text(now)})
    return [
        Line(status, kind, count, (now - datetime.fromisoformat(since)).total_seconds() if since else 0.0)
        for status, kind, count, since in rows
    ]


def families(lines: Sequence[Line]) -> Sequence[Family]:
    """Each kind is told of, with 0 where there is none: an alert needs a value to end on."""
    found = {(line.kind, line.status): line for line in lines}
    every = [(kind, status) for kind in kinds() for status in ("queued", "running")]
    pairs = sorted({*every, *found})
    ages = {
        status: max((x.oldest for x in lines if x.status == status), default=0.0) for status in ("queued", "running")
    }
    return [
        (
            "jobs",
            "Jobs that have not ended",
            ("kind", "status"),
            [(p, found[p].count if p in found else 0) for p in pairs],
        ),
        (
            "queue_age_seconds",
            "How long the first answer that could run has been waiting",
            (),
            [((), ages["queued"])],
        ),
        ("oldest_running_seconds", "Since when the longest job runs", (), [((), ages["running"])]),
    ]

"""How many jobs of a queue run at once: as the operator says, or as its model server proves to write."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.clock import monotonic, utcnow
from app.db.types import to_text
from app.jobs.counts import ACTIVE_FOR
from app.jobs.lease import Connection

TRY_EVERY = timedelta(minutes=15)
PROVEN_FOR = timedelta(days=1)  # a server may be set up anew
PROOF_KEPT = timedelta(hours=1)  # so long it is not written again
MOST_LEARNED = 32


@dataclass(frozen=True, slots=True)
class Slots:
    """Of a queue. `count` 0 = no limit. `learned`: it is the least, and more once more proves to be possible."""

    count: int
    learned: bool = False


SlotsOf = Callable[[str], Slots]
"""By a queue's name."""

_PROVEN = "SELECT slots FROM queue_slots WHERE queue = :queue AND proven_at > :since"
_TRIED = "SELECT 1 FROM queue_slots WHERE queue = :queue AND tried_at > :since"
_TRY = """
INSERT INTO queue_slots (queue, slots, proven_at, tried_at) VALUES (:queue, 1, '', :now)
ON CONFLICT (queue) DO UPDATE SET tried_at = excluded.tried_at
"""
# More than known lets the next one be tried at once.
_PROVE = """
INSERT INTO queue_slots (queue, slots, proven_at, tried_at) VALUES (:queue, :slots, :now, '')
ON CONFLICT (queue) DO UPDATE SET slots = excluded.slots, proven_at = excluded.proven_at,
  tried_at = CASE WHEN excluded.slots > queue_slots.slots THEN '' ELSE queue_slots.tried_at END
WHERE excluded.slots > queue_slots.slots OR queue_slots.proven_at < :forgotten
  OR (excluded.slots = queue_slots.slots AND queue_slots.proven_at < :kept)
"""
_FORGET = "DELETE FROM queue_slots WHERE proven_at < :since AND tried_at < :since"
_ACTIVE = """
SELECT count(*) FROM (
  SELECT 1 FROM waiting_users WHERE queue = :queue AND priority = 0 AND (jobs > 0 OR last_started > :since) LIMIT 2
) AS active
"""
_RUNNING = "SELECT queue, id, last_event_id FROM jobs WHERE status = 'running'"


def known(connection: Connection, queue: str, slots: Slots) -> int:
    """Jobs at once that the server is known to get on with; 0 = no limit."""
    if not slots.learned or not slots.count:
        return slots.count
    row = connection.execute(_PROVEN, {"queue": queue, "since": to_text(utcnow() - PROVEN_FOR)}).fetchone()
    return max(slots.count, row[0]) if row else slots.count


def may_try_more(connection: Connection, queue: str, count: int) -> bool:
    """Whether it may be found out now that one more than `count` is possible.

    Not often: where it is not possible the one waits inside the server, where nobody can come before it any more.
    """
    since = to_text(utcnow() - TRY_EVERY)
    return 0 < count < MOST_LEARNED and not connection.execute(_TRIED, {"queue": queue, "since": since}).fetchone()


def tried_more(connection: Connection, queue: str) -> None:
    connection.execute(_TRY, {"queue": queue, "now": to_text(utcnow())})


def share(connection: Connection, queue: str, count: int) -> int:
    """How many of `count` slots one user may hold: not all while others are active. 0 = no limit."""
    if count < 2:
        return count
    since = to_text(utcnow() - ACTIVE_FOR)
    (active,) = connection.execute(_ACTIVE, {"queue": queue, "since": since}).fetchone()
    return count - 1 if active > 1 else count


def forget(connection: Connection) -> None:
    """Of models that nobody has asked for a long time."""
    connection.execute(_FORGET, {"since": to_text(utcnow() - PROVEN_FOR)})


class Learner:
    """Looks again and again, at least so many seconds apart, which running jobs have got on since.

    Those that did so twice in a row at the same time prove that their server writes so many at once: between two looks
    one answer may end and the next begin, not between three.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds, self._looked_at = seconds, float("-inf")
        self._last: dict[str, int] = {}
        self._moved: frozenset[str] = frozenset()

    def __call__(self, connection: Connection) -> None:
        if monotonic() - self._looked_at < self._seconds:
            return
        self._looked_at = monotonic()
        rows = connection.execute(_RUNNING).fetchall()
        moved = frozenset(job_id for _, job_id, last in rows if self._last.get(job_id, last) < last)
        together = Counter(queue for queue, job_id, _ in rows if job_id in moved and job_id in self._moved)
        self._last, self._moved = {job_id: last for _, job_id, last in rows}, moved
        for queue, count in together.items():
            if count > 1:
                _prove(connection, queue, min(count, MOST_LEARNED), utcnow())


def _prove(connection: Connection, queue: str, count: int, now: datetime) -> None:
    connection.execute(
        _PROVE,
        {
            "queue": queue,
            "slots": count,
            "now": to_text(now),
            "kept": to_text(now - PROOF_KEPT),
            "forgotten": to_text(now - PROVEN_FOR),
        },
    )

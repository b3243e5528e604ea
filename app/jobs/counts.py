"""Who waits with how many jobs: counted by whoever claims, so that a long queue costs nobody more than a short one.

Only in a transaction that holds `claims` are rows of `waiting_users` written: nobody waits for anybody there.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import utcnow
from app.db.turn import hold
from app.db.types import to_text

logger = logging.getLogger(__name__)

ACTIVE_FOR = timedelta(minutes=10)  # since a job of theirs was started: others do not take all slots

# Two parts: how many users have how many jobs waiting in each queue, as last counted; and the users whose jobs have
# moved since, with the user who asks.
_WAITING = text(
    """
    SELECT NULL, queue, jobs, count(*) FROM waiting_users WHERE priority = 0 AND jobs > 0 GROUP BY queue, jobs
    UNION ALL
    SELECT user_id, queue, coalesce((SELECT jobs FROM waiting_users AS known WHERE known.user_id = moved.user_id
      AND known.queue = moved.queue AND priority = 0), 0), sum(step) FROM (
        SELECT user_id, queue, moved AS step FROM queue_moves WHERE priority = 0
        UNION ALL SELECT user_id, queue, 0 FROM waiting_users WHERE user_id = :user_id AND priority = 0
      ) AS moved GROUP BY user_id, queue
    """
)
_TAKE = "DELETE FROM queue_moves RETURNING user_id, queue, priority, job_id, moved"
_COUNT = """
INSERT INTO waiting_users (user_id, queue, priority, jobs, first_job, last_started)
VALUES (:user_id, :queue, :priority, :moved, :job_id,
  coalesce((SELECT max(started_at) FROM jobs WHERE user_id = :user_id), ''))
ON CONFLICT (user_id, queue, priority) DO UPDATE SET jobs = waiting_users.jobs + excluded.jobs
"""
_STARTED = "UPDATE waiting_users SET last_started = :now WHERE user_id = :user_id AND last_started < :now"
# As one statement it sees one state of all three.
_MEND = """
INSERT INTO queue_moves (user_id, queue, priority, job_id, moved)
SELECT user_id, queue, priority, max(job_id), -sum(jobs) FROM (
  SELECT user_id, queue, priority, '' AS job_id, jobs FROM waiting_users
  UNION ALL SELECT user_id, queue, priority, job_id, moved FROM queue_moves
  UNION ALL SELECT user_id, queue, priority, id, -1 FROM jobs WHERE status = 'queued'
) AS counted GROUP BY user_id, queue, priority HAVING sum(jobs) <> 0
RETURNING user_id
"""
_FORGET = "DELETE FROM waiting_users WHERE jobs = 0 AND last_started < :since"


@dataclass(frozen=True, slots=True)
class Crowd:
    """Answers that wait, by queue: how many of one user, and how many others have how many."""

    by_queue: Mapping[str, int]
    others: Mapping[str, Mapping[int, int]]

    @property
    def mine(self) -> int:
        return sum(self.by_queue.values())

    @property
    def jobs(self) -> int:
        return self.mine + sum(jobs * users for queue in self.others.values() for jobs, users in queue.items())

    def next_place(self, queue: str) -> int:
        """Of what this user asks now. Users take turns: before my k-th job stand, of everybody else, at most k."""
        turns = self.by_queue.get(queue, 0) + 1
        return turns + sum(min(jobs, turns) * users for jobs, users in self.others.get(queue, {}).items())


async def waiting(session: AsyncSession, user_id: str) -> Crowd:
    mine: dict[str, int] = {}
    others: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for moved, queue, jobs, number in await session.execute(_WAITING, {"user_id": user_id}):
        if moved is None:
            others[queue][jobs] += number
            continue
        others[queue][jobs] -= jobs > 0
        if moved == user_id:
            mine[queue] = jobs + int(number)
        else:
            others[queue][jobs + int(number)] += 1
    return Crowd(mine, others)


def count_moves(connection: Any) -> None:
    """Bring `waiting_users` up to date with what has been committed."""
    hold(connection, "claims")
    moved: dict[tuple[str, str, int], int] = defaultdict(int)
    first: dict[tuple[str, str, int], str] = {}
    for user_id, queue, priority, job_id, step in connection.execute(_TAKE).fetchall():
        line = (user_id, queue, priority)
        moved[line] += step
        first[line] = min(first.get(line, job_id), job_id)
    rows = [
        {"user_id": line[0], "queue": line[1], "priority": line[2], "moved": steps, "job_id": first[line]}
        for line, steps in moved.items()
        if steps
    ]
    if rows:
        connection.executemany(_COUNT, rows)


def started(connection: Any, user_id: str, now: str) -> None:
    """A job of the user's has started: the others' turn comes first."""
    connection.execute(_STARTED, {"user_id": user_id, "now": now})


def tidy(connection: Any) -> None:
    """From time to time, also where nobody claims."""
    count_moves(connection)
    connection.execute(_FORGET, {"since": to_text(utcnow() - ACTIVE_FOR)})


def mend(connection: Any) -> None:
    """A job that is not counted would wait for ever: now and then it is looked whether all are."""
    hold(connection, "claims")
    mended = connection.execute(_MEND).fetchall()
    if mended:
        logger.error("of %d users another number of jobs waited than was counted", len(mended))

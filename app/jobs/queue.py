"""Put a job into the queue, inside the caller's transaction; limits and positions."""

import math
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Table, insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.lookup import Lookup
from app.db.session import take_turns
from app.db.spelling import for_sqlalchemy
from app.errors import AppError, ErrorKind
from app.i18n import worded
from app.ids import new_id
from app.jobs.counts import Crowd, waiting
from app.jobs.lease import sequence, to_json
from app.jobs.models import Job, JobEvent
from app.jobs.states import JobStatus, status_data
from app.observability import tracing

_BLOCKED = text(
    """
    SELECT EXISTS (SELECT 1 FROM jobs WHERE sequence_key = :key AND status = 'queued')
    OR EXISTS (SELECT 1 FROM jobs WHERE sequence_key = :key AND status = 'running')
    """
)
# Users take turns: in a queue stand before my k-th job, of everybody else, at most k.
_PLACE = """
    WITH mine(n) AS (SELECT count(*) FROM jobs INDEXED BY ix_jobs_queued WHERE status = 'queued'
                     AND user_id = :user_id AND id < :id AND queue = :queue AND priority <= :priority)
    SELECT n + 1 + coalesce((SELECT sum(CASE WHEN waiting <= n THEN waiting ELSE n + 1 END) FROM
        (SELECT count(*) AS waiting FROM jobs WHERE status = 'queued' AND user_id <> :user_id AND id < :id
           AND queue = :queue AND priority <= :priority GROUP BY user_id) AS others), 0)
    FROM mine
"""
_STATEMENTS = {"sqlite": text(_PLACE), "postgresql": text(for_sqlalchemy(_PLACE))}
_APPEND = insert(cast(Table, JobEvent.__table__))  # the table's, which costs half of the ORM's
_CROWD = "crowd"  # as this transaction has counted it already


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """0 = no limit."""

    per_user: int
    in_all: int


async def refuse_if_full(session: AsyncSession, user_id: str, limits: QueueLimits) -> None:
    """Raise before anything is made, so that a refusal leaves nothing."""
    if not limits.per_user and not limits.in_all:
        return
    crowd = session.info[_CROWD] = await waiting(session, user_id)
    if limits.per_user and crowd.mine >= limits.per_user:
        detail = worded("You have {waiting} messages waiting already. Let some be answered first.", waiting=crowd.mine)
        raise AppError(ErrorKind.rate_limited, "queue_full", detail, retry_after=min(60, math.ceil(crowd.mine / 2)))
    if limits.in_all and crowd.jobs >= limits.in_all:
        detail = worded("The server has more to do than it can. Try again later.")
        raise AppError(ErrorKind.unavailable, "server_busy", detail, retry_after=min(300, max(5, crowd.jobs // 40)))


async def enqueue(
    session: AsyncSession,
    *,
    kind: str,
    user_id: str,
    queue: str,
    conversation_id: str | None = None,
    message_id: str | None = None,
    sequence_key: str | None = None,
    priority: int = 0,
    payload: dict[str, Any] | None = None,
    first_event: tuple[str, dict[str, Any]] | None = None,
    job_id: str | None = None,
) -> tuple[Job, int | None]:
    """A job that exists if and only if the caller's transaction commits, and its place in the queue.

    `first_event` becomes event 1.
    """
    job_id = job_id or new_id()
    with session.no_autoflush:  # so that everything of the caller's is written in one go
        place = await _next_place(session, user_id, queue, job_id, priority)
        blocked = sequence_key is not None and await _is_blocked(session, sequence_key)
    status = status_data(JobStatus.queued, 0, place)
    events = [*([first_event] if first_event else []), ("status", status)]
    job = Job(
        id=job_id,
        status=JobStatus.queued,
        kind=kind,
        user_id=user_id,
        queue=queue,
        conversation_id=conversation_id,
        message_id=message_id,
        sequence_key=sequence_key,
        blocked=blocked,
        priority=priority,
        payload={**(payload or {}), **tracing.carried()},
        last_event_id=len(events),
    )
    session.add(job)
    await session.flush()
    rows = [
        {"job_id": job.id, "seq": seq, "attempt": 0, "event": event, "data": to_json(data)}
        for seq, (event, data) in enumerate(events, 1)
    ]
    await session.execute(_APPEND, rows)
    return job, place


async def _next_place(session: AsyncSession, user_id: str, queue: str, job_id: str, priority: int) -> int:
    if priority != 0:
        return await _place(session, user_id, queue, job_id, priority)
    crowd: Crowd | None = session.info.pop(_CROWD, None)
    return (crowd or await waiting(session, user_id)).next_place(queue)


async def _is_blocked(session: AsyncSession, sequence_key: str) -> bool:
    """Whether an earlier job of the sequence has not ended."""
    await take_turns(session, sequence(sequence_key))
    return bool(await session.scalar(_BLOCKED, {"key": sequence_key}))


async def position(session: AsyncSession, job: Job) -> int | None:
    """1 = next to start; None unless queued."""
    if job.status != JobStatus.queued:
        return None
    return await _place(session, job.user_id, job.queue, job.id, job.priority)


async def place_now(lookup: Lookup, user_id: str, queue: str, job_id: str, priority: int) -> int:
    """The same of a job that waits, by a look-up."""
    row = await lookup.first(_PLACE, {"user_id": user_id, "queue": queue, "id": job_id, "priority": priority})
    return int(row[0]) if row else 1


async def _place(session: AsyncSession, user_id: str, queue: str, job_id: str, priority: int) -> int:
    which = {"user_id": user_id, "queue": queue, "id": job_id, "priority": priority}
    return int(await session.scalar(_STATEMENTS[session.get_bind().dialect.name], which) or 0)

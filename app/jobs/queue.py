"""Put a job into the queue, inside the caller's transaction; limits and positions."""

import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import AppError, ErrorKind
from app.ids import new_id
from app.jobs.lease import to_json
from app.jobs.models import Job, JobEvent
from app.jobs.states import JobStatus

_QUEUED_OF_USER = text("SELECT count(*) FROM jobs WHERE status = 'queued' AND user_id = :user_id")
_QUEUED = text("SELECT count(*) FROM jobs WHERE status = 'queued'")
_EARLIER_IN_SEQUENCE = text(
    "SELECT EXISTS (SELECT 1 FROM jobs WHERE sequence_key = :key AND status = 'queued')"
    " OR EXISTS (SELECT 1 FROM jobs WHERE sequence_key = :key AND status = 'running')"
)
# Users take turns: before my k-th job stand, of everybody else, at most k.
_AHEAD = text(
    """
    SELECT coalesce(sum(min(waiting, :mine + 1)), 0) FROM
      (SELECT count(*) AS waiting FROM jobs WHERE status = 'queued' AND user_id <> :user_id AND id < :id
       GROUP BY user_id)
    """
)
_MINE_AHEAD = text("SELECT count(*) FROM jobs WHERE status = 'queued' AND user_id = :user_id AND id < :id")


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """0 = no limit."""

    per_user: int
    in_all: int


async def refuse_if_full(session: AsyncSession, user_id: str, limits: QueueLimits) -> None:
    """Raise before anything is made, so that a refusal leaves nothing."""
    if limits.per_user:
        waiting = await session.scalar(_QUEUED_OF_USER, {"user_id": user_id})
        if waiting >= limits.per_user:
            detail = f"You have {waiting} messages waiting already. Let some be answered first."
            raise AppError(ErrorKind.rate_limited, "queue_full", detail, retry_after=min(60, math.ceil(waiting / 2)))
    if limits.in_all:
        waiting = await session.scalar(_QUEUED)
        if waiting >= limits.in_all:
            detail = "The server has more to do than it can. Try again later."
            raise AppError(ErrorKind.unavailable, "server_busy", detail, retry_after=min(300, max(5, waiting // 40)))


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
) -> tuple[Job, int | None]:
    """A job that exists if and only if the caller's transaction commits, and its place in the queue.

    `first_event` becomes event 1.
    """
    blocked = sequence_key is not None and bool(await session.scalar(_EARLIER_IN_SEQUENCE, {"key": sequence_key}))
    job = Job(
        id=new_id(),
        status=JobStatus.queued,
        kind=kind,
        user_id=user_id,
        queue=queue,
        conversation_id=conversation_id,
        message_id=message_id,
        sequence_key=sequence_key,
        blocked=blocked,
        priority=priority,
        payload=payload or {},
    )
    place = await position(session, job)
    status = {"status": JobStatus.queued, "attempt": 0, "position": place}
    events = [*([first_event] if first_event else []), ("status", status)]
    job.last_event_id = len(events)
    session.add(job)
    await session.flush()
    rows = [
        {"job_id": job.id, "seq": seq, "attempt": 0, "event": event, "data": to_json(data)}
        for seq, (event, data) in enumerate(events, 1)
    ]
    await session.execute(insert(JobEvent), rows)
    return job, place


async def position(session: AsyncSession, job: Job) -> int | None:
    """1 = next to start; None unless queued."""
    if job.status != JobStatus.queued:
        return None
    mine = await session.scalar(_MINE_AHEAD, {"user_id": job.user_id, "id": job.id}) or 0
    others = await session.scalar(_AHEAD, {"user_id": job.user_id, "id": job.id, "mine": mine}) or 0
    return int(mine + others + 1)


async def job_of_message(session: AsyncSession, message_id: str) -> Job | None:
    """The newest job that writes this message."""
    return await session.scalar(select(Job).where(Job.message_id == message_id).order_by(Job.id.desc()).limit(1))

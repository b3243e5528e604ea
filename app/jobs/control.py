"""What a person does with jobs: look one up, list them, cancel."""

from collections.abc import Sequence
from datetime import datetime

import orjson
from sqlalchemy import func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import utcnow
from app.db.lookup import Lookup
from app.db.rows import Rows
from app.db.types import to_text
from app.errors import not_found
from app.jobs.lease import Connection, StoredEvent
from app.jobs.maintenance import abandon
from app.jobs.models import Job
from app.jobs.states import JobStatus


async def get_job(session: AsyncSession, user_id: str, job_id: str) -> Job:
    """One of the user's own jobs; a stranger's and a missing one are the same `not_found`."""
    job = await session.scalar(select(Job).where(Job.id == job_id, Job.user_id == user_id))
    if job is None:
        raise not_found()
    return job


_AS_IT_IS_NOW = """
SELECT kind, status, blocked, folded, priority, conversation_id, message_id, error, run_after, phase, phase_at
FROM jobs WHERE id = :id AND user_id = :user_id
"""


async def job_now(lookup: Lookup, user_id: str, job_id: str) -> Job:
    """The same for whoever asks all the time: only what following an answer needs to know, and quicker."""
    row = await lookup.first(_AS_IT_IS_NOW, {"id": job_id, "user_id": user_id})
    if row is None:
        raise not_found()
    kind, status, blocked, folded, priority, conversation_id, message_id, error, run_after, phase, phase_at = row
    return Job(
        id=job_id,
        user_id=user_id,
        kind=kind,
        status=status,
        blocked=bool(blocked),
        folded=bool(folded),
        priority=priority,
        conversation_id=conversation_id,
        message_id=message_id,
        error=orjson.loads(error) if error else None,
        run_after=datetime.fromisoformat(run_after),
        phase=phase,
        phase_at=phase_at and datetime.fromisoformat(phase_at),
    )


JOBS = Rows(Job)
_WHOLE = f"SELECT {JOBS.columns} FROM jobs WHERE id = :id AND user_id = :user_id"  # noqa: S608


async def look_up_job(lookup: Lookup, user_id: str, job_id: str) -> Job:
    """`get_job` by a look-up: a row of no session."""
    row = await lookup.first(_WHOLE, {"id": job_id, "user_id": user_id})
    if row is None:
        raise not_found()
    return JOBS.make(row)


async def list_jobs(
    session: AsyncSession,
    user_id: str | None,
    *,
    status: JobStatus | None = None,
    kind: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> Sequence[Job]:
    """Newest first, older than the job `before`; `user_id` None: everybody's, for an administrator."""
    query = select(Job).order_by(Job.id.desc()).limit(limit)
    if user_id is not None:
        query = query.where(Job.user_id == user_id)
    if status is not None:
        query = query.where(Job.status == status)
    if kind is not None:
        query = query.where(Job.kind == kind)
    if before is not None:
        query = query.where(Job.id < before)
    return (await session.scalars(query)).all()


async def conversations_at_work(session: AsyncSession, user_id: str) -> frozenset[str]:
    """The user's conversations in which an answer is being written or waits."""
    owned = (Job.user_id == user_id, Job.kind == "answer", Job.conversation_id.is_not(None))
    # Two looks into the indexes of what has not ended; with OR they would not be used.
    queued = select(Job.conversation_id).where(Job.status == literal_column("'queued'"), *owned)
    running = select(Job.conversation_id).where(Job.status == literal_column("'running'"), *owned)
    return frozenset(found for found in await session.scalars(queued.union(running)) if found)


async def get_any_job(session: AsyncSession, job_id: str) -> Job:
    """Anybody's, for an administrator."""
    job = await session.get(Job, job_id)
    if job is None:
        raise not_found()
    return job


async def count_jobs(session: AsyncSession) -> dict[str, int]:
    """Everybody's, by status; every status is there."""
    counted = await session.execute(select(Job.status, func.count()).group_by(Job.status))
    return {status.value: 0 for status in JobStatus} | {row[0]: row[1] for row in counted}


async def waiting_job(session: AsyncSession, conversation_id: str, kind: str) -> str | None:
    """A job about the conversation that has not ended."""
    query = select(Job.id).where(
        Job.conversation_id == conversation_id, Job.kind == kind, Job.status.in_(["queued", "running"])
    )
    return await session.scalar(query.limit(1))


_STATE = "SELECT status, attempt FROM jobs WHERE id = ? /*postgres: FOR UPDATE */"


def cancel_now(connection: Connection, job_id: str, *, at_once: bool = False) -> StoredEvent | None:
    """End a queued job; ask the runner of a running one, unless `at_once`. The `done` event if it ended here."""
    row = connection.execute(_STATE, (job_id,)).fetchone()
    if row is not None and (row[0] == JobStatus.queued or (at_once and row[0] == JobStatus.running)):
        return abandon(connection, job_id, row[1], JobStatus.cancelled, None)
    if row is not None and row[0] == JobStatus.running:
        connection.execute(
            "UPDATE jobs SET cancel_requested_at = ? WHERE id = ? AND cancel_requested_at IS NULL",
            (to_text(utcnow()), job_id),
        )
    return None


async def message_id_of(session: AsyncSession, job_id: str) -> str:
    """The message that a job writes; empty for other kinds and for deleted ones."""
    return await session.scalar(select(Job.message_id).where(Job.id == job_id)) or ""

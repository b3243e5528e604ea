"""What a person does with jobs: look one up, list them, cancel."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import utcnow
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


def cancel_now(connection: Connection, job_id: str, *, at_once: bool = False) -> StoredEvent | None:
    """End a queued job; ask the runner of a running one, unless `at_once`. The `done` event if it ended here."""
    row = connection.execute("SELECT status, attempt FROM jobs WHERE id = ?", (job_id,)).fetchone()
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

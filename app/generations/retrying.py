"""Try again: at once what waits after a failure; for an administrator what has failed, with its owner's rights."""

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.principal import Principal
from app.accounts.service import get_user
from app.db.session import Database
from app.errors import AppError, ErrorKind
from app.generations.service import Generations
from app.jobs.control import get_any_job, get_job
from app.jobs.engine import Engine
from app.jobs.models import Job
from app.jobs.states import JobStatus
from app.providers.catalog import Providers
from app.providers.pulling import PullOnce, start_pull

KINDS = frozenset({"answer", "model_pull"})


def can_retry(job: Job) -> bool:
    has_place = job.kind != "answer" or job.message_id is not None
    return job.status == JobStatus.failed and job.kind in KINDS and has_place


async def try_now(database: Database, engine: Engine, principal: Principal, job_id: str) -> Job:
    """A job that waits after a failure waits no longer. The job as it is then; the same for any other."""
    async with database.read() as session:
        job = await get_job(session, principal.user_id, job_id)
    await engine.bring_forward(job.id, job.kind, job.priority)
    async with database.read() as session:
        return await get_job(session, principal.user_id, job_id)


async def retry_job(
    database: Database,
    providers: Providers,
    generations: Generations,
    enqueued: Callable[[str, str], None],
    principal: Principal,
    job_id: str,
) -> None:
    """A new job; the old one stays as it ended."""
    async with database.read() as session:
        job = await get_any_job(session, job_id)
        owner = await _owner(session, job)
    if not can_retry(job):
        raise AppError(ErrorKind.conflict, "not_retryable", "This cannot be tried again.")
    if job.kind == "answer":
        await generations.continue_answer(owner, job.message_id or "")
        return
    async with database.transaction() as session:
        once = PullOnce("", "", lambda made, place: made.id)
        await start_pull(session, providers, enqueued, principal.user_id, job.payload["model"], once)


async def _owner(session: AsyncSession, job: Job) -> Principal:
    user = await get_user(session, job.user_id)
    if user.disabled_at is not None:
        raise AppError(ErrorKind.conflict, "owner_disabled", "The user it belongs to is disabled.")
    return Principal(user.id, user.username, user.role, "cookie", locale=user.locale)

"""Fetch a model, as a job with progress; drop one, or give its memory back."""

import re
from contextlib import aclosing
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import AppError, ErrorKind, invalid
from app.jobs.lease import Connection, End
from app.jobs.models import Job
from app.jobs.queue import enqueue
from app.jobs.registry import JobContext, Outcome
from app.jobs.states import JobStatus
from app.providers.base import ModelKeeper
from app.providers.catalog import Providers
from app.providers.errors import ProviderError

QUEUE, SLOTS = "pull", 1
PROVIDER = "ollama"
# No host part and no “..”: the registry is Ollama's own, and a name is never a path.
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,79}(?:/[A-Za-z0-9][\w.-]{0,79}){0,1}(?::[\w.-]{1,80})?")


def keeper_of(providers: Providers) -> ModelKeeper:
    """The model server that models can be fetched to; `unavailable` when there is none."""
    provider = providers.get(PROVIDER) if PROVIDER in providers.names() else None
    if not isinstance(provider, ModelKeeper):
        raise AppError(ErrorKind.conflict, "no_ollama", "Only Ollama fetches models, and none is set up here.")
    return provider


def check_name(name: str, pointer: str = "/name") -> str:
    if not _NAME.fullmatch(name) or ".." in name:
        raise invalid("invalid_model_name", "That is not a model's name in Ollama's library.", pointer)
    return name


async def enqueue_pull(session: AsyncSession, user_id: str, name: str) -> tuple[Job, int | None]:
    """A job that downloads the model, and its place in the queue."""
    return await enqueue(session, kind="model_pull", user_id=user_id, queue=QUEUE, payload={"model": check_name(name)})


class PullHandler:
    time_limit = 6 * 3600.0

    async def run(self, context: JobContext) -> Outcome:
        """A download that was cut is taken up by Ollama where it stood."""
        model: str = context.lease.job.payload["model"]
        try:
            keeper = keeper_of(context.services.providers)
            async with aclosing(keeper.pull(model)) as steps:
                async for step in steps:
                    if step.done is not None:
                        context.log.progress(context.lease, step.done, step.total, "bytes")
        except ProviderError as error:
            described = {"code": error.code, "message": error.message, "retryable": not error.permanent}
            return End(JobStatus.failed, error=described)
        return End(JobStatus.succeeded, result={"model": f"{PROVIDER}/{model}"})

    def interrupted(self, context: JobContext, reason: str) -> End:
        return End(JobStatus.cancelled)

    def abandoned(self, connection: Connection, job_id: str, status: JobStatus, error: dict[str, Any] | None) -> None:
        return None

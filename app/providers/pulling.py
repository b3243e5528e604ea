"""Fetch a model, as a job with progress; drop one, or give its memory back."""

import re
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.session import after_commit, take_turns
from app.errors import AppError, ErrorKind, invalid, not_found
from app.jobs.idempotency import recall, remember
from app.jobs.lease import Connection, End
from app.jobs.models import Job
from app.jobs.queue import enqueue
from app.jobs.registry import JobContext, Outcome
from app.jobs.states import JobStatus
from app.observability import metrics
from app.providers.base import MAX_MODEL_NAME, ModelDetails, ModelKeeper
from app.providers.catalog import Providers
from app.providers.errors import ModelNotFound, ProviderError

Answer = TypeVar("Answer")

QUEUE, SLOTS = "pull", 1
PROVIDER = "ollama"
_MOST_LAYERS = 5_000  # that are told apart; models have some ten, or as many as they have tensors
# registry.example.org/namespace/model:tag; all but the model may be absent. No “..”, since a name is never a path, and
# no port, since a registry is not whatever listens.
_NAME = re.compile(r"(?:[A-Za-z0-9][\w.-]{0,79}/){0,2}[A-Za-z0-9][\w.-]{0,79}(?::[\w.-]{1,80})?")


def keeper_of(providers: Providers) -> ModelKeeper:
    """The model server that models can be fetched to; `unavailable` when there is none."""
    provider = providers.get(PROVIDER) if PROVIDER in providers.names() else None
    if not isinstance(provider, ModelKeeper):
        raise AppError(ErrorKind.conflict, "no_ollama", "Only Ollama fetches models, and none is set up here.")
    return provider


def check_name(name: str, pointer: str = "/name") -> str:
    if len(name) > MAX_MODEL_NAME or not _NAME.fullmatch(name) or ".." in name:
        raise invalid("invalid_model_name", "That is not a model's name in Ollama's library.", pointer)
    return name


async def enqueue_pull(session: AsyncSession, user_id: str, name: str) -> tuple[Job, int | None]:
    """A job that downloads the model, and its place in the queue."""
    return await enqueue(session, kind="model_pull", user_id=user_id, queue=QUEUE, payload={"model": check_name(name)})


@dataclass(frozen=True, slots=True)
class PullOnce:
    """An Idempotency-Key, what it stands for, and how the answer to remember is written."""

    key: str
    fingerprint: str
    present: Callable[[Job, int | None], str]


@dataclass(frozen=True, slots=True)
class PullAccepted:
    """`body` is what `present` made of the job, now or when the same was asked for before."""

    job_id: str
    body: str
    replayed: bool = False


async def start_pull(
    session: AsyncSession,
    providers: Providers,
    enqueued: Callable[[str, str], None],
    user_id: str,
    name: str,
    once: PullOnce,
) -> PullAccepted:
    """A job that downloads the model; the same key makes one."""
    keeper_of(providers)
    check_name(name)
    await take_turns(session, user_id)
    if once.key and (known := await recall(session, user_id, once.key, once.fingerprint)):
        return PullAccepted(*known, replayed=True)
    job, place = await enqueue_pull(session, user_id, name)
    body = once.present(job, place)
    if once.key:
        await remember(session, user_id, once.key, once.fingerprint, job.id, body)
    after_commit(session, lambda: enqueued(job.id, job.kind))
    return PullAccepted(job.id, body)


async def show_model(providers: Providers, model_id: str) -> ModelDetails:
    return await _told(providers, lambda keeper: keeper.show(name_of(model_id)))


async def delete_model(providers: Providers, model_id: str, pointer: str = "/id") -> None:
    """From the model server's disk."""
    name = name_of(model_id, pointer)
    await _told(providers, lambda keeper: keeper.delete(name))
    providers.expire(PROVIDER)


async def unload_model(providers: Providers, model_id: str) -> None:
    """Gives its memory back."""
    name = name_of(model_id)
    await _told(providers, lambda keeper: keeper.unload(name))
    providers.expire(PROVIDER)


def name_of(model_id: str, pointer: str = "/id") -> str:
    provider, _, name = model_id.partition("/")
    if provider != PROVIDER:
        raise invalid("not_ollama", "Only Ollama's models can be managed.", pointer)
    return check_name(name, pointer)


async def _told(providers: Providers, verb: Callable[[ModelKeeper], Awaitable[Answer]]) -> Answer:
    try:
        return await verb(keeper_of(providers))
    except ModelNotFound:
        raise not_found() from None
    except ProviderError as error:
        raise AppError(ErrorKind.unavailable, error.code, error.message, retry_after=5) from None


class _Layers:
    """The parts of a model, one after the other: their sum never goes back."""

    def __init__(self) -> None:
        self.done = self.total = 0
        self._known: dict[str, tuple[int, int]] = {}

    def add(self, name: str, done: int, total: int) -> None:
        """The newest of a layer; those beyond the cap are not counted."""
        if name not in self._known and len(self._known) >= _MOST_LAYERS:
            return
        old_done, old_total = self._known.get(name, (0, 0))
        self._known[name] = (done, total)
        self.done += done - old_done
        self.total += total - old_total


class PullHandler:
    time_limit = 6 * 3600.0

    async def run(self, context: JobContext) -> Outcome:
        """A download that was cut is taken up by Ollama where it stood."""
        model: str = context.lease.job.payload["model"]
        try:
            keeper = keeper_of(context.services.providers)
            layers = _Layers()
            async with aclosing(keeper.pull(model)) as steps:
                async for step in steps:
                    if step.done is not None:
                        layers.add(step.status, step.done, step.total or step.done)
                        context.log.progress(context.lease, layers.done, layers.total, "bytes")
            context.services.providers.expire(PROVIDER)
        except ProviderError as error:
            metrics.PROVIDER_ERRORS.add(1, PROVIDER, error.code)
            described = {"code": error.code, "message": error.message, "retryable": not error.permanent}
            return End(JobStatus.failed, error=described)
        return End(JobStatus.succeeded, result={"model": f"{PROVIDER}/{model}"})

    def interrupted(self, context: JobContext, reason: str) -> End:
        return End(JobStatus.cancelled)

    def abandoned(self, connection: Connection, job_id: str, status: JobStatus, error: dict[str, Any] | None) -> None:
        return None

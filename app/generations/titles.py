"""Name a conversation after its first exchange, by its own model, when the queue is idle."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from typing import Any

from app.clock import utcnow
from app.conversations.messages import turns_to
from app.conversations.service import title_from
from app.db.turn import hold
from app.db.types import to_text
from app.generations.prompt import prompt_of
from app.jobs.lease import Claimed, Connection, Effect, End, FollowUp, sequence
from app.jobs.maintenance import abandon
from app.jobs.registry import JobContext, Outcome
from app.jobs.states import JobStatus
from app.observability import metrics, tracing
from app.providers.base import ChatOptions, ChatProvider, ChatRequest
from app.providers.errors import ProviderError
from app.providers.events import ChatEvent, TextDelta, ThinkingDelta, WasThinking

ASK = "Give this conversation a title of at most six words, in its own language. Answer with the title alone."
OPTIONS = ChatOptions(temperature=0.2, max_tokens=24, think=False)
_HEAD = "SELECT head_id FROM conversations WHERE id = :id"
WORTH_HAVING = timedelta(minutes=10)
_OLD = """
SELECT id, attempt FROM jobs WHERE status = 'queued' AND kind = 'title' AND created_at < :before
  AND EXISTS (SELECT 1 FROM waiting_users WHERE priority = 1 AND jobs > 0) LIMIT 50
"""
QUOTED = 2000  # characters of the exchange that the model is shown
MOST_READ, MOST_THOUGHT = 200, 10_000  # characters; who writes more was not asked to


def deserves_title(provider: ChatProvider) -> bool:
    """Not a paid server's money, and not the demo model's word."""
    return not provider.paid and provider.name != "embedded"


def title_job(job: Claimed) -> FollowUp:
    """After the first answer of a conversation."""
    payload = {name: job.payload[name] for name in ("model", tracing.TRACE) if name in job.payload}
    return FollowUp("title", job.user_id, job.queue, job.conversation_id, priority=1, payload=payload)


def end_old_titles(connection: Connection) -> None:
    """One that found no quiet moment in all that time is not worth one any more."""
    before = to_text(utcnow() - WORTH_HAVING)
    for job_id, attempt in connection.execute(_OLD, {"before": before}).fetchall():
        abandon(connection, job_id, attempt, JobStatus.cancelled, None)


class TitleHandler:
    time_limit = 60.0

    async def run(self, context: JobContext) -> Outcome:
        """A failure is not told to anybody: the conversation has a title already."""
        job = context.lease.job
        try:
            title = await self._ask(context)
        except (ProviderError, KeyError) as error:
            title = ""
            if isinstance(error, ProviderError):
                metrics.PROVIDER_ERRORS.add(1, job.payload["model"].partition("/")[0], error.code)
        effects = [_write_title(job.conversation_id, title)] if title else []
        return End(JobStatus.succeeded, result={"title": title}, effects=effects)

    async def _ask(self, context: JobContext) -> str:
        job = context.lease.job
        provider_name, _, model = job.payload["model"].partition("/")
        provider = context.services.providers.get(provider_name)
        lookup = context.services.database.lookup
        head = await lookup.first(_HEAD, {"id": job.conversation_id})
        turns = await turns_to(lookup, job.conversation_id or "", head[0]) if head and head[0] else []
        exchange = [(role, content[:QUOTED]) for role, content in turns[:2]]
        request = ChatRequest(model, prompt_of("", [*exchange, ("user", ASK)]), OPTIONS)
        with tracing.model_call(provider.name, model):
            async with aclosing(provider.chat(request)) as stream:
                written = await _beginning(stream)
        return title_from(written.strip(" \n\"'“”「」《》."))

    def interrupted(self, context: JobContext, reason: str) -> End:
        return End(JobStatus.cancelled)

    def abandoned(self, connection: Connection, job_id: str, status: JobStatus, error: dict[str, Any] | None) -> None:
        return None


async def _beginning(stream: AsyncIterator[ChatEvent]) -> str:
    """As much as a title may need; nothing is read after that."""
    written, thought = "", 0
    async for event in stream:
        if isinstance(event, TextDelta):
            written += event.text[:MOST_READ]
        elif isinstance(event, WasThinking):
            written = ""
        elif isinstance(event, ThinkingDelta):
            thought += len(event.text)
        if len(written) >= MOST_READ or thought >= MOST_THOUGHT:
            break
    return written


def _write_title(conversation_id: str | None, title: str) -> Effect:
    def effect(connection: Connection) -> None:
        # Lock the sequence before the row, as a new message does: this commit may also end an answer of it.
        hold(connection, sequence(conversation_id or ""))
        connection.execute(
            "UPDATE conversations SET title = ?, title_origin = 'model' WHERE id = ? AND title_origin = 'text'",
            (title, conversation_id),
        )

    return effect

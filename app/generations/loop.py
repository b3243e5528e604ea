"""One run of a model that writes one message: asks the provider and appends what it says to the log."""

import logging
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import orjson

from app.clock import monotonic
from app.conversations.messages import turns_to
from app.db.session import Database
from app.generations.allowance import CHARACTERS_PER_TOKEN
from app.generations.prompt import least_tokens, options_of, prompt_of, was_cut
from app.generations.recovery import Failure, after_failure, error_of
from app.generations.standing import Standing
from app.generations.titles import deserves_title, title_job
from app.generations.writer import write_message
from app.i18n import worded
from app.jobs.event_log import MAX_PENDING_BYTES
from app.jobs.events import LogText, read_after, replay
from app.jobs.lease import End, FollowUp
from app.jobs.registry import JobContext, Outcome
from app.jobs.states import JobStatus
from app.observability import metrics, tracing
from app.providers.base import ChatProvider, ChatRequest, PromptMessage
from app.providers.catalog import Providers
from app.providers.errors import ProviderCut, ProviderError
from app.providers.events import Finished, TextDelta, ThinkingDelta, Usage, WasThinking
from app.settings import Settings

logger = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 2 * 1024 * 1024
WAS_THINKING = worded("What was written so far was the model's thinking.")
CANNOT_GO_ON = worded("The model server cannot go on from a given text; the answer begins anew.")


_ASKED = """
SELECT m.parent_id, c.system_prompt, length(m.content) + length(m.thinking), before.model, before.usage
FROM messages m JOIN conversations c ON c.id = m.conversation_id
LEFT JOIN messages question ON question.id = m.parent_id LEFT JOIN messages before ON before.id = question.parent_id
WHERE m.id = :id
"""


@dataclass(slots=True)
class GenerationServices:
    """What a run needs of its process."""

    settings: Settings
    database: Database
    providers: Providers


class _TooLong(Exception):
    """The answer reached our own limit."""


class AnswerRun:
    def __init__(self, context: JobContext) -> None:
        self._lease, self._log = context.lease, context.log
        self._services: GenerationServices = context.services
        self._job = context.lease.job
        self._written = 0
        self._started = monotonic()
        self._first_at: float | None = None
        self._provider = ""
        self._heard_at = 0.0
        self._pieces = 0
        self._usage = Usage()
        self._least_prompt: int | None = None  # tokens, as far as the answer before tells
        self._progress = False
        self._began_anew = False

    async def outcome(self) -> Outcome:
        model: str = self._job.payload["model"]
        provider_name, _, name = model.partition("/")
        self._provider = provider_name
        try:
            provider = self._services.providers.get(provider_name)
        except KeyError:
            return self._failed(error_of("model_not_found", f"“{provider_name}” is not set up here.", retryable=False))
        system_prompt, turns, so_far = await self._load()
        try:
            request = await self._request(provider, name, system_prompt, turns, so_far)
            if isinstance(request, End):
                return request
            self._standing = Standing(self._log, self._lease, self._services.database.lookup, queues=not provider.paid)
            try:
                return await self._ask(provider, replace(request, on_phase=self._standing.tell))
            finally:
                self._standing.over()
                self._note_spent()
        except _TooLong:
            return self._ended("stopped", "limit")
        except ProviderError as error:
            metrics.PROVIDER_ERRORS.add(1, provider_name, error.code)
            logger.warning("model server %s: %s: %s", provider_name, error.code, error.message)
            return self._after(error, provider, shown=bool(so_far.content or so_far.thinking))

    async def _load(self) -> tuple[str, list[tuple[str, str]], LogText]:
        job = self._job
        assert job.message_id is not None
        assert job.conversation_id is not None
        lookup = self._services.database.lookup
        asked = await lookup.first(_ASKED, {"id": job.message_id})
        if asked is None:
            raise LookupError("the message is gone")
        # What the message had before this job is not its own.
        parent_id, system_prompt, before, model_before, usage_before = asked
        turns = await turns_to(lookup, job.conversation_id, parent_id) if parent_id else []
        if model_before == job.payload["model"] and usage_before:
            read_before = orjson.loads(usage_before).get("prompt_tokens")
            self._least_prompt = read_before and read_before + least_tokens(turns[-2:])
        so_far = LogText()
        if job.attempt > 1 or "continues" in job.payload:
            async with self._services.database.read() as session:
                so_far = replay(await read_after(session, job.id, 0))
            self._written = max(0, len(so_far.content) + len(so_far.thinking) - before)
        return system_prompt, turns, so_far

    async def _request(
        self,
        provider: ChatProvider,
        name: str,
        system_prompt: str,
        turns: list[tuple[str, str]],
        so_far: LogText,
    ) -> ChatRequest | End:
        """Go on from the committed text where the server can; otherwise begin anew, and say so."""
        options = options_of(self._job.payload.get("options", {}))
        again = self._job.attempt > 1
        if so_far.content and await provider.can_continue(name):
            messages: list[PromptMessage] = prompt_of(system_prompt, turns, so_far.content)
            if options.max_tokens is not None:
                # What an attempt wrote that was killed nobody has counted.
                uncounted = max(0, self._written - self._spent("characters")) // CHARACTERS_PER_TOKEN
                written = self._spent("completion_tokens") + uncounted
                if written >= options.max_tokens:
                    return self._ended("complete", "length")
                options = replace(options, max_tokens=options.max_tokens - written)
            return ChatRequest(name, messages, options, continues=True)
        if provider.paid and again and (so_far.content or so_far.thinking or not self._job.failures):
            message = worded("This server may charge for it again, so it was not asked twice.")
            return self._failed(error_of("interrupted", message, retryable=True))
        if so_far.content or so_far.thinking:
            self._log.append(self._lease, "restart", {"reason": CANNOT_GO_ON})
            self._written, self._began_anew = 0, True
        return ChatRequest(name, prompt_of(system_prompt, turns), options)

    async def _ask(self, provider: ChatProvider, request: ChatRequest) -> End:
        with tracing.model_call(provider.name, request.model) as self._call:
            try:
                return await self._listen(provider, request)
            finally:
                self._count_tokens()

    async def _listen(self, provider: ChatProvider, request: ChatRequest) -> End:
        log, lease = self._log, self._lease
        self._started = monotonic()
        async with aclosing(provider.chat(request)) as stream:  # type: ignore[type-var]
            async for event in stream:
                if type(event) is TextDelta:
                    log.append(lease, "delta", self._accept(event.text))
                elif type(event) is ThinkingDelta:
                    log.append(lease, "thinking", self._accept(event.text))
                elif type(event) is WasThinking:
                    log.append(lease, "restart", {"reason": WAS_THINKING})
                    log.append(lease, "thinking", event.text)
                elif type(event) is Usage:
                    self._usage = event
                elif type(event) is Finished:
                    titled = self._job.payload.get("untitled") and deserves_title(provider)
                    return self._ended("complete", event.reason, [title_job(self._job)] if titled else [])
                if lease.pending_bytes > MAX_PENDING_BYTES:
                    await log.flush(lease)
        raise ProviderCut("The model server's answer ended without its end.", began=True)

    def _accept(self, text: str) -> str:
        now = monotonic()
        if self._first_at is None:
            self._first_at = now
            self._progress = True
            self._standing.over()
            self._call.event("first text")
            metrics.FIRST_TOKEN_SECONDS.observe(now - self._started, self._provider)
        else:
            metrics.TOKEN_SECONDS.observe(now - self._heard_at, self._provider)
        self._heard_at = now
        self._pieces += 1
        self._written += len(text)
        if self._written > MAX_ANSWER_BYTES:
            raise _TooLong
        return text.replace("\0", "") if "\0" in text else text

    def _count_tokens(self) -> None:
        """Of an answer that was broken off no server tells: its pieces are counted, mostly a token each."""
        model = self._job.payload["model"]
        if self._pieces:  # else the model may not exist: anybody may ask for any name
            metrics.TOKENS.add(self._usage.completion_tokens or self._pieces, model, "completion")
            metrics.TOKENS.add(self._usage.prompt_tokens or 0, model, "prompt")
        told = {"input": self._usage.prompt_tokens, "output": self._usage.completion_tokens}
        self._call.tell({f"gen_ai.usage.{way}_tokens": count for way, count in told.items() if count is not None})

    def _spent(self, what: str) -> int:
        """By the attempts before this one."""
        return int(self._job.spent.get(what, 0))

    def _note_spent(self) -> None:
        """In case that there is another attempt."""
        usage = self._usage
        self._lease.spent.update(
            characters=self._written,
            prompt_tokens=self._spent("prompt_tokens") + (usage.prompt_tokens or 0),
            completion_tokens=self._spent("completion_tokens") + (usage.completion_tokens or self._pieces),
        )

    def _usage_data(self) -> dict[str, Any]:
        usage, now = self._usage, monotonic()
        first = self._first_at
        writing = now - first if first is not None else 0.0
        tokens, prompt = usage.completion_tokens, usage.prompt_tokens
        return {
            "prompt_tokens": None if prompt is None else prompt + self._spent("prompt_tokens"),
            "completion_tokens": None if tokens is None else tokens + self._spent("completion_tokens"),
            "ttft_ms": round((first - self._started) * 1000) if first is not None else None,
            "tokens_per_second": round(tokens / writing, 1) if tokens and writing > 0 else None,
            "context_length": usage.context_length,
            **({"prompt_cut": True} if was_cut(usage, self._least_prompt) else {}),
            **({"ignored_options": list(usage.ignored)} if usage.ignored else {}),
        }

    def _ended(self, status: str, finish_reason: str, follow_ups: Sequence[FollowUp] = ()) -> End:
        usage = self._usage_data()
        return End(
            JobStatus.succeeded,
            result={"conversation_id": self._job.conversation_id, "message_id": self._job.message_id},
            events=[("usage", usage)],
            effects=[write_message(self._job.id, status=status, finish_reason=finish_reason, usage=usage)],
            follow_ups=follow_ups,
        )

    def _failed(self, error: dict[str, Any]) -> End:
        return End(JobStatus.failed, error=error, effects=[write_message(self._job.id, status="failed", error=error)])

    def _after(self, error: ProviderError, provider: ChatProvider, *, shown: bool) -> Outcome:
        breaks = self._lease.spent["breaks"] = self._spent("breaks") + self._progress
        outcome = after_failure(
            error,
            self._job,
            paid=provider.paid,
            text_shown=shown or self._progress,
            # Who begins anew each time gets nowhere, however much is written.
            progress=self._progress and not self._began_anew,
            breaks=breaks,
            patience=self._services.settings.retry_patience,
        )
        return self._failed(outcome.error) if isinstance(outcome, Failure) else outcome

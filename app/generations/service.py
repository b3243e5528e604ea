"""Ask, edit, regenerate, continue: each makes its messages and its job in one transaction, before the 202."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.accounts.principal import Principal
from app.clock import utcnow
from app.conversations.messages import get_message, refuse_unseen, siblings_of_both
from app.conversations.models import Conversation, Message
from app.conversations.service import get_conversation, title_from
from app.conversations.storage import refuse_if_over
from app.db.session import Database, after_commit, take_turns
from app.errors import AppError, ErrorKind, invalid
from app.generations.allowance import RESERVATION, reserve
from app.i18n import worded
from app.ids import new_id
from app.jobs import idempotency
from app.jobs.engine import Engine
from app.jobs.lease import sequence
from app.jobs.models import Job
from app.jobs.queue import QueueLimits, enqueue, refuse_if_full
from app.providers.base import MAX_MODEL_ID
from app.providers.catalog import Providers, queue_of
from app.settings import Settings


class _Head:
    """The default of `parent_id`: the leaf of the branch in view."""


HEAD = _Head()


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was made, and the siblings that the two messages stand among."""

    job: Job
    user_message: Message
    assistant_message: Message
    user_siblings: list[str]
    assistant_siblings: list[str]
    position: int | None


@dataclass(frozen=True, slots=True)
class Once:
    """An Idempotency-Key, what it stands for, and how the answer to remember is written."""

    key: str
    fingerprint: str
    present: Callable[[Accepted], str]


@dataclass(frozen=True, slots=True)
class Replayed:
    """The answer that the key was given before."""

    job_id: str
    body: str


Verb = Callable[[AsyncSession, str | None], Awaitable[Accepted]]


class _ModelWanted(Exception):
    """Nothing names a model: the list has to be asked, outside the transaction."""


class Generations:
    """The verbs that make a model write. Services of one process."""

    def __init__(self, settings: Settings, database: Database, providers: Providers, engine: Engine) -> None:
        self._settings, self._database, self._providers, self._engine = settings, database, providers, engine
        self._limits = QueueLimits(settings.max_queued_per_user, settings.max_queued)

    async def send_message(
        self,
        principal: Principal,
        conversation_id: str,
        *,
        content: str,
        parent_id: str | _Head | None = HEAD,
        model: str | None = None,
        options: dict[str, Any] | None = None,
        seen: str | None = None,
        once: Once | None = None,
    ) -> Accepted | Replayed:
        """A person's message and the empty answer below it. `seen`: the last message that the person has seen."""

        async def verb(session: AsyncSession, fallback: str | None) -> Accepted:
            conversation = await _in_turn(session, principal, conversation_id)
            await refuse_unseen(session, conversation, seen)
            parent = conversation.head_id if isinstance(parent_id, _Head) else parent_id
            if parent is not None and not isinstance(parent_id, _Head):
                await _refuse_stranger(session, conversation, parent)
            chosen = await self._model(session, principal, conversation, model, fallback)
            untitled = conversation.head_id is None and conversation.title_origin == "text"
            if not conversation.title:
                conversation.title = title_from(content)
            question = Message(
                id=new_id(), conversation_id=conversation.id, parent_id=parent, role="user", content=content
            )
            session.add(question)
            return await self._answer(session, conversation, question, chosen, options, untitled=untitled)

        return await self._accept(principal, verb, once)

    async def edit(
        self, principal: Principal, message_id: str, *, content: str, once: Once | None = None
    ) -> Accepted | Replayed:
        """A sibling of a person's message, and its answer."""

        async def verb(session: AsyncSession, fallback: str | None) -> Accepted:
            message = await get_message(session, principal, message_id)
            if message.role != "user":
                raise AppError(ErrorKind.conflict, "not_editable", "Only your own messages can be edited.")
            conversation = await _in_turn(session, principal, message.conversation_id)
            chosen = await self._model(session, principal, conversation, None, fallback)
            edited = Message(
                id=new_id(),
                conversation_id=conversation.id,
                parent_id=message.parent_id,
                role="user",
                content=content,
            )
            session.add(edited)
            return await self._answer(session, conversation, edited, chosen, None)

        return await self._accept(principal, verb, once)

    async def regenerate(
        self,
        principal: Principal,
        message_id: str,
        *,
        model: str | None = None,
        options: dict[str, Any] | None = None,
        once: Once | None = None,
    ) -> Accepted | Replayed:
        """A sibling of an answer, below the same question."""

        async def verb(session: AsyncSession, fallback: str | None) -> Accepted:
            message, question, conversation = await self._answer_of(session, principal, message_id)
            wanted = model or message.model
            chosen = await self._model(session, principal, conversation, wanted, fallback, keep=model is None)
            return await self._answer(session, conversation, question, chosen, options)

        return await self._accept(principal, verb, once)

    async def continue_answer(
        self, principal: Principal, message_id: str, *, once: Once | None = None
    ) -> Accepted | Replayed:
        """Go on with an answer that was cut: the same message, a new job."""

        async def verb(session: AsyncSession, fallback: str | None) -> Accepted:
            message, question, conversation = await self._answer_of(session, principal, message_id)
            if message.status not in ("stopped", "failed") and message.finish_reason != "length":
                raise AppError(ErrorKind.conflict, "not_continuable", "This answer is not one that was cut.")
            chosen = await self._model(session, principal, conversation, message.model, fallback, keep=True)
            return await self._go_on(session, conversation, question, message, chosen)

        return await self._accept(principal, verb, once)

    # --- steps of the verbs -------------------------------------------------------------------------------------

    async def _accept(self, principal: Principal, verb: Verb, once: Once | None) -> Accepted | Replayed:
        try:
            return await self._attempt(principal, verb, once, None)
        except _ModelWanted:
            listed = await self._providers.models()
            if not listed.items:
                detail = worded("No model is available. Connect a model server first.")
                raise invalid("no_model", detail, "/model") from None
            if listed.first is None:
                detail = worded(
                    "The model server does not answer at the moment. Wait for it, or choose the demo model."
                )
                raise AppError(ErrorKind.unavailable, "model_server_away", detail, retry_after=5) from None
            return await self._attempt(principal, verb, once, listed.first.id)

    async def _attempt(
        self, principal: Principal, verb: Verb, once: Once | None, fallback: str | None
    ) -> Accepted | Replayed:
        async def make(session: AsyncSession) -> Accepted | Replayed:
            await take_turns(session, principal.user_id)
            if once is not None:
                known = await idempotency.recall(session, principal.user_id, once.key, once.fingerprint)
                if known is not None:
                    return Replayed(*known)
            await refuse_if_full(session, principal.user_id, self._limits)
            accepted = await verb(session, fallback)
            if once is not None:
                body = once.present(accepted)
                await idempotency.remember(
                    session, principal.user_id, once.key, once.fingerprint, accepted.job.id, body
                )
            job = accepted.job
            after_commit(session, lambda: self._engine.enqueued(job.id, job.kind, job.priority))
            return accepted

        return await self._database.in_shared_transaction(make)

    async def _model(
        self,
        session: AsyncSession,
        principal: Principal,
        conversation: Conversation,
        wanted: str | None,
        fallback: str | None,
        *,
        keep: bool = False,
    ) -> str:
        """The wanted model, else the conversation's, the user's, the server's, the first listed.

        It becomes the conversation's, unless `keep`.
        """
        chosen = wanted or conversation.model
        if chosen is None:
            query = select(User.default_model).where(User.id == principal.user_id)
            chosen = await session.scalar(query) or self._settings.default_model or fallback
        if not chosen:
            raise _ModelWanted
        self.check_model(chosen)
        if not keep:
            conversation.model = chosen
        return chosen

    def check_model(self, model: str) -> None:
        if len(model) > MAX_MODEL_ID:
            detail = worded("A model's name has at most {most} characters.", most=MAX_MODEL_ID)
            raise invalid("too_long", detail, "/model")
        provider, _, name = model.partition("/")
        if not name or provider not in self._providers.names():
            detail = worded("No model server “{provider}” is set up here.", provider=provider)
            raise invalid("unknown_provider", detail, "/model")

    async def _answer_of(
        self, session: AsyncSession, principal: Principal, message_id: str
    ) -> tuple[Message, Message, Conversation]:
        """An answer with its question."""
        message = await get_message(session, principal, message_id)
        if message.role != "assistant" or message.parent_id is None:
            raise AppError(ErrorKind.conflict, "not_an_answer", "This is not an answer of a model.")
        question = await get_message(session, principal, message.parent_id)
        conversation = await _in_turn(session, principal, message.conversation_id)
        return message, question, conversation

    async def _answer(
        self,
        session: AsyncSession,
        conversation: Conversation,
        question: Message,
        model: str,
        options: dict[str, Any] | None,
        *,
        untitled: bool = False,
    ) -> Accepted:
        answer = Message(
            id=new_id(),
            conversation_id=conversation.id,
            parent_id=question.id,
            role="assistant",
            status="generating",
            model=model,
        )
        session.add(answer)
        conversation.head_id = answer.id
        conversation.updated_at = utcnow()
        payload: dict[str, Any] = {"model": model, "options": {**conversation.options, **(options or {})}}
        if untitled:
            payload["untitled"] = True
        return await self._enqueue(session, conversation, question, answer, payload, None)

    async def _go_on(
        self, session: AsyncSession, conversation: Conversation, question: Message, answer: Message, model: str
    ) -> Accepted:
        snapshot = {"content": answer.content, "thinking": answer.thinking}
        options = await _options_of(session, conversation, answer, answer.finish_reason)
        answer.status, answer.error, answer.finish_reason = "generating", None, None
        conversation.updated_at = utcnow()
        payload = {"model": model, "options": options, "continues": True}
        return await self._enqueue(session, conversation, question, answer, payload, ("snapshot", snapshot))

    async def _enqueue(
        self,
        session: AsyncSession,
        conversation: Conversation,
        question: Message,
        answer: Message,
        payload: dict[str, Any],
        first_event: tuple[str, dict[str, Any]] | None,
    ) -> Accepted:
        answer.job_id = new_id()
        limit = self._settings.max_tokens_per_day
        if limit:
            payload[RESERVATION] = await reserve(
                session, conversation.user_id, question.content, payload["options"], limit
            )
        job, place = await enqueue(
            session,
            kind="answer",
            user_id=conversation.user_id,
            queue=queue_of(self._settings, payload["model"]),
            conversation_id=conversation.id,
            message_id=answer.id,
            sequence_key=conversation.id,
            payload=payload,
            first_event=first_event,
            job_id=answer.job_id,
        )
        await refuse_if_over(session, conversation.user_id, self._settings.max_storage_per_user)
        return Accepted(job, question, answer, *await siblings_of_both(session, question, answer), place)


async def _in_turn(session: AsyncSession, principal: Principal, conversation_id: str) -> Conversation:
    """Waits until nobody else adds a job to the conversation or ends one of its jobs.

    This locks the sequence of its jobs before its row. The other order deadlocks with the end of an answer.
    """
    await take_turns(session, sequence(conversation_id))
    return await get_conversation(session, principal, conversation_id)


async def _options_of(
    session: AsyncSession, conversation: Conversation, answer: Message, finish_reason: str | None
) -> dict[str, Any]:
    """What an answer was asked with; of one that came from elsewhere the conversation's.

    Who goes on with what a limit of its own has cut wants more than that: then the conversation's limit holds.
    """
    payload = await session.scalar(select(Job.payload).where(Job.id == answer.job_id)) if answer.job_id else None
    options = dict((payload or {}).get("options", conversation.options))
    if finish_reason == "length" and options.pop("max_tokens", None) and "max_tokens" in conversation.options:
        options["max_tokens"] = conversation.options["max_tokens"]
    return options


async def _refuse_stranger(session: AsyncSession, conversation: Conversation, message_id: str) -> None:
    query = select(Message.id).where(Message.id == message_id, Message.conversation_id == conversation.id)
    if await session.scalar(query) is None:
        raise invalid("unknown_message", "This conversation has no such message.", "/parent_id")

"""Messages as templates see them: text rendered, siblings counted, the running job beside them."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.principal import Principal
from app.clock import utcnow
from app.conversations.messages import Window
from app.conversations.models import Message
from app.generations.live_page import LiveAnswers, Progress
from app.rendering import escape_text, render_markdown
from app.web import failures

LONG_STANDING = 3  # seconds


@dataclass(frozen=True, slots=True)
class MessageView:
    """What `messages/_message.html` draws. `live` only while its job has not ended."""

    id: str
    conversation_id: str
    role: str
    status: str
    closed: str
    created_at: datetime
    open: str = ""
    thinking: str = ""
    superseded: Sequence[Mapping[str, Any]] = ()
    siblings: Sequence[str] = ()
    model: str | None = None
    usage: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    finish_reason: str | None = None
    live: Progress | None = None

    @property
    def number(self) -> int:
        return self.siblings.index(self.id) + 1

    @property
    def previous(self) -> str | None:
        return self.siblings[self.number - 2] if self.number > 1 else None

    @property
    def next(self) -> str | None:
        return self.siblings[self.number] if self.number < len(self.siblings) else None

    @property
    def can_continue(self) -> bool:
        return self.status in ("stopped", "failed") or self.finish_reason == "length"

    @property
    def model_name(self) -> str:
        return (self.model or "").partition("/")[2]

    @property
    def seconds(self) -> float | None:
        """How long the model took: to its first word, and from there on."""
        usage = self.usage or {}
        first, tokens, rate = usage.get("ttft_ms"), usage.get("completion_tokens"), usage.get("tokens_per_second")
        return first / 1000 + tokens / rate if first is not None and tokens and rate else None

    @property
    def trouble(self) -> str:
        """Why an answer waits that could not be given at once; nothing for one that just has its turn to come."""
        return failures.sentence(self.live.reason) if self.live and self.live.reason else ""

    @property
    def trouble_words(self) -> str:
        return failures.own_words(self.live.reason) if self.live and self.live.reason else ""

    @property
    def seconds_to_retry(self) -> int:
        retry_at = self.live.retry_at if self.live else None
        return max(0, math.ceil((retry_at - utcnow()).total_seconds())) if retry_at else 0

    @property
    def stands_for(self) -> str:
        """How long an answer has waited, loaded or been read, `1:20`; empty while that is not worth saying."""
        since = self.live.phase_at if self.live and self.live.phase else None
        seconds = int((utcnow() - since).total_seconds()) if since else 0
        return f"{seconds // 60}:{seconds % 60:02}" if seconds >= LONG_STANDING else ""

    @property
    def prompt_was_cut(self) -> bool:
        return bool((self.usage or {}).get("prompt_cut"))

    @property
    def ignored_options(self) -> str:
        return ", ".join((self.usage or {}).get("ignored_options") or ())

    @property
    def ending(self) -> str:
        if self.role != "assistant" or self.status == "failed":
            return ""
        return failures.ending(self.status, self.finish_reason, is_blank=not self.closed.strip())

    @property
    def failure(self) -> str:
        return failures.sentence(self.error)

    @property
    def failure_words(self) -> str:
        return failures.own_words(self.error)

    @property
    def suits_another_model(self) -> bool:
        return failures.suits_another_model(self.error)


async def window_views(
    session: AsyncSession, principal: Principal, window: Window, live: LiveAnswers
) -> list[MessageView]:
    """All messages of a window, those that are being written as far as they are committed."""
    pairs = [(message, window.siblings_of(message)) for message in window.messages]
    return await views(session, principal, pairs, live)


async def views(
    session: AsyncSession, principal: Principal, pairs: Sequence[tuple[Message, list[str]]], live: LiveAnswers
) -> list[MessageView]:
    """Messages with their siblings."""
    running = {
        message.id: await live.look(session, principal, message.job_id)
        for message, _ in pairs
        if message.status == "generating" and message.job_id
    }
    return await asyncio.to_thread(lambda: [_view(m, siblings, running.get(m.id)) for m, siblings in pairs])


def progress_view(progress: Progress) -> MessageView:
    """What a viewer lacks of an answer, in the shape of a message."""
    return MessageView(
        id=progress.message_id or "",
        conversation_id=progress.conversation_id or "",
        role="assistant",
        status="generating",
        closed="".join(progress.closed),
        open=progress.open,
        created_at=utcnow(),
        thinking=progress.thinking,
        superseded=progress.superseded,
        live=progress,
    )


def _view(message: Message, siblings: list[str], progress: Progress | None) -> MessageView:
    closed = "".join(progress.closed) if progress else _html(message)
    return MessageView(
        id=message.id,
        conversation_id=message.conversation_id,
        role=message.role,
        status=message.status,
        closed=closed,
        open=progress.open if progress else "",
        thinking=progress.thinking if progress else message.thinking,
        superseded=[*message.superseded, *(progress.superseded if progress else ())],
        siblings=siblings,
        model=message.model,
        usage=message.usage,
        error=message.error,
        finish_reason=message.finish_reason,
        created_at=message.created_at,
        live=progress,
    )


def _html(message: Message) -> str:
    if message.role == "user":
        return escape_text(message.content)
    return render_markdown(message.content, id_prefix=f"m-{message.id}-")

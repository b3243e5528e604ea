"""Create, list and change conversations; choose the branch in view."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.principal import Principal
from app.clock import utcnow
from app.conversations import tree
from app.conversations.models import Conversation, Message
from app.db.session import take_turns
from app.errors import invalid, not_found

TITLE_LENGTH = 80


async def create_conversation(
    session: AsyncSession,
    principal: Principal,
    *,
    title: str = "",
    model: str | None = None,
    system_prompt: str = "",
    options: dict[str, Any] | None = None,
) -> Conversation:
    conversation = Conversation(
        user_id=principal.user_id,
        title=title,
        title_origin="user" if title else "text",
        model=model,
        system_prompt=system_prompt,
        options=options or {},
    )
    session.add(conversation)
    await session.flush()
    return conversation


async def get_conversation(session: AsyncSession, principal: Principal, conversation_id: str) -> Conversation:
    conversation = await session.scalar(
        select(Conversation).where(
            Conversation.id == conversation_id,
            Conversation.user_id == principal.user_id,
            Conversation.deleted_at.is_(None),
        )
    )
    if conversation is None:
        raise not_found()
    return conversation


@dataclass(frozen=True, slots=True)
class After:
    """A place in the list of conversations: the last one of the page before."""

    updated_at: datetime
    id: str


async def list_conversations(
    session: AsyncSession,
    principal: Principal,
    *,
    archived: bool = False,
    pinned: bool | None = None,
    after: After | None = None,
    limit: int = 50,
) -> Sequence[Conversation]:
    """Most recently used first; at most `limit`. `pinned`: only those that are, or are not."""
    query = (
        select(Conversation)
        .where(
            Conversation.user_id == principal.user_id,
            Conversation.archived == archived,
            Conversation.deleted_at.is_(None),
        )
        .order_by(Conversation.updated_at.desc(), Conversation.id.desc())
        .limit(limit)
    )
    if pinned is not None:
        query = query.where(Conversation.pinned if pinned else ~Conversation.pinned)
    if after is not None:
        query = query.where(tuple_(Conversation.updated_at, Conversation.id) < (after.updated_at, after.id))
    return (await session.scalars(query)).all()


async def update_conversation(
    session: AsyncSession, principal: Principal, conversation_id: str, changes: dict[str, Any]
) -> Conversation:
    """Set what `changes` names: title, model, system_prompt, options, pinned, archived, head_id."""
    conversation = await get_conversation(session, principal, conversation_id)
    if (head_id := changes.pop("head_id", None)) is not None:
        await take_turns(session, principal.user_id)  # nothing is deleted while the leaf is looked for
        conversation.head_id = await _leaf_below(session, conversation, head_id)
    if "title" in changes:
        conversation.title_origin = "user"
    for name, value in changes.items():
        setattr(conversation, name, value)
    return conversation


async def _leaf_below(session: AsyncSession, conversation: Conversation, message_id: str) -> str:
    edges = await edges_of(session, conversation.id)
    if message_id not in {edge[0] for edge in edges}:
        raise invalid("unknown_message", "This conversation has no such message.", "/head_id")
    return tree.newest_leaf(message_id, tree.children_of(edges))


async def edges_of(session: AsyncSession, conversation_id: str) -> list[tuple[str, str | None]]:
    rows = await session.execute(
        select(Message.id, Message.parent_id).where(Message.conversation_id == conversation_id)
    )
    return [(row[0], row[1]) for row in rows]


def touch(conversation: Conversation) -> None:
    conversation.updated_at = utcnow()


def title_from(text: str) -> str:
    """A first title, from the first message itself: its first line, cut at a word."""
    lines = [line for line in (re.sub(r"\s+", " ", raw).strip(" #*>`-") for raw in text[:1000].splitlines()) if line]
    line = lines[0] if lines else ""
    if len(line) <= TITLE_LENGTH:
        return line
    cut = line[:TITLE_LENGTH].rsplit(" ", 1)[0] if " " in line[40:TITLE_LENGTH] else line[:TITLE_LENGTH]
    return f"{cut}…"

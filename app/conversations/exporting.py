"""A conversation as Markdown, for people, and as JSON, with all its branches."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.conversations.messages import path_ids
from app.conversations.models import Conversation, Message

FORMAT = "teahouse-conversation/1"
_OWN = ("id", "title", "model", "system_prompt", "options", "pinned", "archived", "head_id")


async def _messages(session: AsyncSession, conversation: Conversation) -> list[Message]:
    query = select(Message).where(Message.conversation_id == conversation.id).order_by(Message.id)
    return list(await session.scalars(query))


async def export_json(
    session: AsyncSession, conversation: Conversation, show_time: Callable[[datetime], str]
) -> dict[str, Any]:
    """The conversation, `format` and every message, parents before children."""
    names = ("id", "parent_id", "role", "content", "thinking", "status", "finish_reason", "model", "usage", "error")
    messages = [
        {
            **{name: getattr(m, name) for name in names},
            "superseded": m.superseded,
            "created_at": show_time(m.created_at),
        }
        for m in await _messages(session, conversation)
    ]
    return {
        **{name: getattr(conversation, name) for name in _OWN},
        "created_at": show_time(conversation.created_at),
        "updated_at": show_time(conversation.updated_at),
        "format": FORMAT,
        "messages": messages,
    }


async def export_markdown(session: AsyncSession, conversation: Conversation) -> str:
    """The branch in view."""
    found = {m.id: m for m in await _messages(session, conversation)}
    path = await path_ids(session, conversation.id, conversation.head_id) if conversation.head_id else []
    parts = [f"# {conversation.title or 'Conversation'}"]
    for message in (found[message_id] for message_id in path):
        who = "You" if message.role == "user" else message.model or message.role
        parts.append(f"## {who}\n\n{message.content}")
    return "\n\n".join(parts) + "\n"

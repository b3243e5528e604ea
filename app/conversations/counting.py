"""How much somebody has here: what is named before it is deleted."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.conversations.models import Conversation, Message


async def count_of(session: AsyncSession, user_id: str) -> tuple[int, int]:
    """(conversations, messages), without those that were deleted already."""
    theirs = (Conversation.user_id == user_id, Conversation.deleted_at.is_(None))
    conversations = await session.scalar(select(func.count()).select_from(Conversation).where(*theirs))
    joined = select(func.count()).select_from(Message).join(Conversation, Conversation.id == Message.conversation_id)
    return conversations or 0, await session.scalar(joined.where(*theirs)) or 0

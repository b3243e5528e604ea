"""Find conversations by their titles."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.principal import Principal
from app.conversations.models import Conversation

MOST_WORDS = 8


async def search_conversations(
    session: AsyncSession, principal: Principal, query: str, *, limit: int = 50
) -> Sequence[Conversation]:
    """Those whose title has every word of `query`, in whatever case; archived ones too; most recently used first."""
    words = query.casefold().split()[:MOST_WORDS]
    if not words:
        return []
    title = func.casefold(Conversation.title)
    return (
        await session.scalars(
            select(Conversation)
            .where(Conversation.user_id == principal.user_id, Conversation.deleted_at.is_(None))
            .where(*(func.instr(title, word) > 0 for word in words))
            .order_by(Conversation.updated_at.desc(), Conversation.id.desc())
            .limit(limit)
        )
    ).all()

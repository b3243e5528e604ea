"""Find conversations by their titles."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.principal import Principal
from app.conversations.models import Conversation
from app.db.functions import has_word

MOST_WORDS = 8
LONGEST_WORD = 1000  # no title is so long, and databases refuse such patterns


async def search_conversations(
    session: AsyncSession, principal: Principal, query: str, *, limit: int = 50
) -> Sequence[Conversation]:
    """Those whose title has every word of `query`, in whatever case; archived ones too; most recently used first."""
    words = query.casefold().split()[:MOST_WORDS]
    if not words or max(map(len, words)) > LONGEST_WORD:
        return []
    return (
        await session.scalars(
            select(Conversation)
            .where(Conversation.user_id == principal.user_id, Conversation.deleted_at.is_(None))
            .where(*(has_word(Conversation.title, word) for word in words))
            .order_by(Conversation.updated_at.desc(), Conversation.id.desc())
            .limit(limit)
        )
    ).all()

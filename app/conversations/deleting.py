"""Delete a conversation, think better of it, and in the end be rid of it."""

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.principal import Principal
from app.clock import utcnow
from app.conversations.models import Conversation, Message
from app.conversations.service import get_conversation
from app.db.types import to_text
from app.errors import not_found
from app.jobs.lease import Connection
from app.jobs.models import Job

UNDO = timedelta(minutes=10)
UNSEEN = {"synchronize_session": False}  # no job is loaded in these sessions
PURGED_AT_ONCE = 5  # a long one takes its time, and the others wait meanwhile
_PURGE = """
DELETE FROM conversations WHERE id IN
  (SELECT id FROM conversations WHERE deleted_at IS NOT NULL AND deleted_at < ? ORDER BY deleted_at LIMIT ?)
"""


async def delete_conversation(session: AsyncSession, principal: Principal, conversation_id: str) -> None:
    """From now on it is not there. Its jobs must have been cancelled before."""
    conversation = await get_conversation(session, principal, conversation_id)
    conversation.deleted_at = utcnow()
    # As when the rows are gone: a job knows no more than that it was.
    jobs = update(Job).where(Job.conversation_id == conversation_id)
    await session.execute(jobs.values(conversation_id=None, message_id=None), execution_options=UNSEEN)


async def restore_conversation(session: AsyncSession, principal: Principal, conversation_id: str) -> Conversation:
    """As it was; `not_found` once its time is over."""
    conversation = await get_deleted(session, principal, conversation_id)
    conversation.deleted_at = None
    written = Message.conversation_id == conversation_id, Message.job_id == Job.id
    jobs = update(Job).where(*written, Job.user_id == principal.user_id)
    await session.execute(jobs.values(conversation_id=conversation_id, message_id=Message.id), execution_options=UNSEEN)
    return conversation


async def get_deleted(session: AsyncSession, principal: Principal, conversation_id: str) -> Conversation:
    """One that can still be restored."""
    query = select(Conversation).where(
        Conversation.id == conversation_id,
        Conversation.user_id == principal.user_id,
        Conversation.deleted_at > utcnow() - UNDO,
    )
    conversation = await session.scalar(query)
    if conversation is None:
        raise not_found()
    return conversation


def purge_deleted(connection: Connection) -> None:
    """A duty of the maintenance: what nobody can restore any more goes, with its messages."""
    connection.execute(_PURGE, (to_text(utcnow() - UNDO), PURGED_AT_ONCE))

"""Messages as they stand now: what is being written shows its text so far."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.principal import Principal
from app.conversations import messages
from app.conversations.messages import Window
from app.conversations.models import Conversation, Message
from app.db.session import Database
from app.generations.stream import live_text
from app.jobs.control import look_up_job
from app.jobs.models import Job


async def window(
    session: AsyncSession, conversation: Conversation, *, before: str | None = None, limit: int = 50
) -> Window:
    found = await messages.window_of(session, conversation, before=before, limit=limit)
    for message in found.messages:
        await _bring_up_to_date(session, message)
    return found


async def message(session: AsyncSession, principal: Principal, message_id: str) -> tuple[Message, list[str]]:
    """One of the principal's messages and its siblings."""
    found = await messages.get_message(session, principal, message_id)
    await _bring_up_to_date(session, found)
    return found, await messages.siblings_of(session, found)


async def ended(database: Database, principal: Principal, job_id: str) -> tuple[Job, tuple[Message, list[str]] | None]:
    """A job and the message that it wrote, as every stream's last event shows them."""
    job = await look_up_job(database.lookup, principal.user_id, job_id)
    if job.message_id is None:
        return job, None
    found = await messages.look_up_message(database.lookup, principal, job.message_id)
    if found[0].status == "generating":  # another job goes on with it
        async with database.read() as session:
            found = await message(session, principal, job.message_id)
    return job, found


async def _bring_up_to_date(session: AsyncSession, found: Message) -> None:
    if found.status == "generating":
        text = await live_text(session, found)
        # The row in memory is only shown. Left in the session, the next query would try to write it.
        session.expunge(found)
        found.content, found.thinking = text.content, text.thinking
        found.superseded = [*found.superseded, *text.superseded]

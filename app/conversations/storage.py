"""How many bytes a user keeps, of messages and of what stands above them, and how many there may be.

No count is kept: what is there is added up where it is asked for (a microsecond a message, and for a new message only
under a limit), so that no deletion, crash or race can make it wrong.

Deleting makes room at once, though what was deleted stays for the ten minutes in which that can be undone. It may come
to as much as the limit again: else deleting would make room without end.
"""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.conversations.deleting import UNDO
from app.errors import AppError, ErrorKind
from app.i18n import worded

MEGABYTE = 1_000_000
EXPECTED_BYTES = 4_000  # of an answer that is still being written
LOOK_AGAIN = 3600  # seconds: time makes no room, only deleting does, and every 429 names some

# The lengths stand beside the texts: neither database reads a long text for it.
_STORED = text(
    """
    SELECT coalesce(sum(octet_length(m.content) + octet_length(m.thinking) + octet_length(m.superseded)), 0)
             + (SELECT coalesce(sum(octet_length(system_prompt) + octet_length(options) - 2), 0)
                FROM conversations WHERE user_id = :user_id AND deleted_at IS NULL),
           coalesce(sum(CASE WHEN m.status = 'generating' THEN 1 ELSE 0 END), 0)
    FROM conversations c JOIN messages m ON m.conversation_id = c.id
    WHERE c.user_id = :user_id AND c.deleted_at IS NULL
    """
)
# What was deleted, and answers that are kept for requests that are sent again.
_GOING = text(
    """
    SELECT coalesce(sum(octet_length(m.content) + octet_length(m.thinking) + octet_length(m.superseded)), 0)
             + (SELECT coalesce(sum(octet_length(body)), 0) FROM idempotency_keys WHERE user_id = :user_id)
    FROM conversations c JOIN messages m ON m.conversation_id = c.id
    WHERE c.user_id = :user_id AND c.deleted_at IS NOT NULL
    """
)


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes of a user's messages; `limit` 0: none. `reserved` is what answers under way may come to."""

    used: int
    reserved: int
    limit: int


async def storage_of(session: AsyncSession, user_id: str, megabytes: int) -> Storage:
    used, answers = (await session.execute(_STORED, {"user_id": user_id})).one()
    return Storage(used, answers * EXPECTED_BYTES, megabytes * MEGABYTE)


async def refuse_if_over(session: AsyncSession, user_id: str, megabytes: int) -> None:
    """Called once everything new is written, by who has its turn with this user: the refusal takes it all back.

    `megabytes` 0: there is no limit.
    """
    if not megabytes:
        return
    storage = await storage_of(session, user_id, megabytes)
    kept = storage.used + storage.reserved
    if kept > storage.limit:
        detail = worded("Your {limit} MB of messages are full. Delete conversations to make room.", limit=megabytes)
        raise AppError(ErrorKind.rate_limited, "storage_used_up", detail, retry_after=LOOK_AGAIN)
    if kept + int(await session.scalar(_GOING, {"user_id": user_id}) or 0) > 2 * storage.limit:
        detail = worded("What you deleted in the last minutes still takes its room. Try again in ten minutes.")
        raise AppError(ErrorKind.rate_limited, "storage_used_up", detail, retry_after=int(UNDO.total_seconds()))

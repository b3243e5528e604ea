"""The same key from the same user gets the same answer; there is no “in progress”."""

import hashlib
import re

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import AppError, ErrorKind
from app.i18n import worded
from app.jobs.models import IdempotencyKey, Job

_VALID = re.compile(r"[\x21-\x7e]{1,255}")


def check_key(key: str) -> str:
    if not _VALID.fullmatch(key):
        detail = worded("An Idempotency-Key has 1 to 255 visible ASCII characters.")
        raise AppError(ErrorKind.invalid, "bad_idempotency_key", detail)
    return key


def fingerprint(method: str, path: str, body: bytes) -> str:
    """What makes two requests the same: method, path with its ids, raw body."""
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).hexdigest()


async def recall(session: AsyncSession, user_id: str, key: str, wanted: str) -> tuple[str, str] | None:
    """The stored (job id, body) of this key; raises when the key was used for another request."""
    row = (
        await session.execute(
            select(IdempotencyKey.fingerprint, IdempotencyKey.job_id, IdempotencyKey.body).where(
                IdempotencyKey.user_id == user_id, IdempotencyKey.key == key
            )
        )
    ).first()
    if row is None:
        return None
    if row[0] != wanted:
        detail = worded("This Idempotency-Key was used for another request.")
        raise AppError(ErrorKind.invalid, "idempotency_mismatch", detail)
    return row[1], row[2]


async def remember(session: AsyncSession, user_id: str, key: str, wanted: str, job_id: str, body: str) -> None:
    """Store the answer in the transaction that makes it."""
    await session.execute(
        insert(IdempotencyKey).values(user_id=user_id, key=key, fingerprint=wanted, job_id=job_id, body=body)
    )


async def forget_conversation(session: AsyncSession, conversation_id: str) -> None:
    """What is remembered repeats the messages: it goes with them."""
    jobs = select(Job.id).where(Job.conversation_id == conversation_id)
    await session.execute(delete(IdempotencyKey).where(IdempotencyKey.job_id.in_(jobs)))

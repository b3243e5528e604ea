"""Named, scoped, expiring secrets for programs; shown once."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import ApiKey
from app.accounts.principal import Principal, Scope
from app.clock import utcnow
from app.errors import AppError, ErrorKind, invalid, not_found
from app.i18n import worded
from app.ids import new_id
from app.security import tokens

MAX_KEYS = 50


async def create_key(
    session: AsyncSession,
    principal: Principal,
    *,
    name: str,
    scopes: Sequence[Scope],
    expires_at: datetime | None,
    key_id: str | None = None,
) -> tuple[ApiKey, str]:
    """A key and its secret. Nobody can give a key more than they have themselves.

    With a `key_id` a form that is sent again makes no second one.
    """
    if key_id is not None and await session.get(ApiKey, key_id) is not None:
        raise AppError(ErrorKind.conflict, "made_already", "This was made already. Its secret is shown only once.")
    for scope in scopes:
        principal.require(scope)
    if expires_at is not None and expires_at <= utcnow():
        raise invalid("expired", "The key would have expired already.", "/expires_at")
    if len(await list_keys(session, principal.user_id)) >= MAX_KEYS:
        detail = worded("You have {most} keys already. Revoke one first.", most=MAX_KEYS)
        raise AppError(ErrorKind.conflict, "too_many_keys", detail)
    secret = tokens.new_token(tokens.API_KEY)
    key = ApiKey(
        id=key_id or new_id(),
        user_id=principal.user_id,
        session_id=principal.session_id,
        name=name,
        digest=tokens.digest(secret),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    session.add(key)
    await session.flush()
    return key, secret


async def list_keys(session: AsyncSession, user_id: str) -> Sequence[ApiKey]:
    query = select(ApiKey).where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None)).order_by(ApiKey.id)
    return (await session.scalars(query)).all()


async def revoke_key(session: AsyncSession, user_id: str, key_id: str) -> None:
    key = await session.scalar(select(ApiKey).where(ApiKey.id == key_id, ApiKey.user_id == user_id))
    if key is None or key.revoked_at is not None:
        raise not_found()
    key.revoked_at = utcnow()


async def touch_key(session: AsyncSession, key_id: str) -> None:
    await session.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=utcnow()))

"""Named, scoped, expiring secrets for programs; shown once."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import ApiKey, ApiKeyUse
from app.accounts.principal import Principal, Scope
from app.clock import utcnow
from app.db.types import to_text
from app.errors import AppError, ErrorKind, invalid, not_found
from app.i18n import worded
from app.ids import new_id
from app.security import tokens

MAX_KEYS = 50
MAX_USES = 10  # addresses
MAX_ADDRESS = 45  # characters, as of IPv6
USUAL_LIFE = timedelta(days=90)  # of a key that nobody said anything else about


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


_NOTE_USE = text(
    "INSERT INTO api_key_uses (key_id, address, user_agent, last_used_at)"
    " VALUES (:key_id, :address, :user_agent, :now) ON CONFLICT (key_id, address)"
    " DO UPDATE SET user_agent = excluded.user_agent, last_used_at = excluded.last_used_at"
)


async def touch_key(session: AsyncSession, key_id: str, *, address: str, user_agent: str) -> None:
    """The key was used from there. Of very many addresses those of the last uses are kept."""
    now = utcnow()
    await session.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=now))
    use = {"key_id": key_id, "address": address[:MAX_ADDRESS], "user_agent": user_agent[:256], "now": to_text(now)}
    await session.execute(_NOTE_USE, use)
    kept = select(ApiKeyUse.address).where(ApiKeyUse.key_id == key_id).order_by(ApiKeyUse.last_used_at.desc())
    others = ApiKeyUse.address.not_in(kept.limit(MAX_USES).scalar_subquery())
    await session.execute(delete(ApiKeyUse).where(ApiKeyUse.key_id == key_id, others))


async def list_uses(session: AsyncSession, user_id: str) -> dict[str, list[ApiKeyUse]]:
    """From where each of a user's keys was used, the last use first, by the key's id."""
    query = select(ApiKeyUse).join(ApiKey, ApiKey.id == ApiKeyUse.key_id)
    query = query.where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None)).order_by(ApiKeyUse.last_used_at.desc())
    uses: dict[str, list[ApiKeyUse]] = {}
    for use in await session.scalars(query):
        uses.setdefault(use.key_id, []).append(use)
    return uses

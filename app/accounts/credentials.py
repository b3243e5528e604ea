"""From what a caller shows to who is calling: one SELECT at each request, so that role and revocation count at once."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.principal import ALL_SCOPES, Credential, Principal
from app.accounts.sessions import IDLE_LIFE
from app.clock import utcnow
from app.db.types import from_text, to_text
from app.security import tokens

SEEN_EVERY = timedelta(seconds=60)

_SESSION = text(
    """
    SELECT u.id, u.username, u.role, s.last_seen_at FROM sessions s JOIN users u ON u.id = s.user_id
    WHERE s.id = :id AND s.revoked_at IS NULL AND s.expires_at > :now AND s.last_seen_at > :idle_since
      AND u.disabled_at IS NULL
    """
)
_API_KEY = text(
    """
    SELECT u.id, u.username, u.role, k.id, k.scopes, k.last_used_at FROM api_keys k JOIN users u ON u.id = k.user_id
    WHERE k.digest = :digest AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > :now)
      AND u.disabled_at IS NULL
    """
)
_KEY_IS_ALIVE = text(
    """
    SELECT 1 FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.id = :id AND k.revoked_at IS NULL
      AND (k.expires_at IS NULL OR k.expires_at > :now) AND u.disabled_at IS NULL
    """
)


@dataclass(frozen=True, slots=True)
class Caller:
    """`stale`: the row should be told that it was seen."""

    principal: Principal
    stale: bool


async def caller_of_session(session: AsyncSession, session_id: str, credential: Credential) -> Caller | None:
    now = utcnow()
    which = {"id": session_id, "now": to_text(now), "idle_since": to_text(now - IDLE_LIFE)}
    row = (await session.execute(_SESSION, which)).first()
    if row is None:
        return None
    principal = Principal(row[0], row[1], row[2], credential, session_id)
    return Caller(principal, now - from_text(row[3]) > SEEN_EVERY)


async def caller_of_api_key(session: AsyncSession, secret: str) -> Caller | None:
    now = utcnow()
    row = (await session.execute(_API_KEY, {"digest": tokens.digest(secret), "now": to_text(now)})).first()
    if row is None:
        return None
    scopes = frozenset(scope for scope in ALL_SCOPES if f'"{scope}"' in row[4])
    principal = Principal(row[0], row[1], row[2], "api_key", None, scopes, row[3])
    return Caller(principal, row[5] is None or now - from_text(row[5]) > SEEN_EVERY)


async def session_is_alive(session: AsyncSession, session_id: str) -> bool:
    return await caller_of_session(session, session_id, "access_token") is not None


async def is_still_allowed(session: AsyncSession, principal: Principal) -> bool:
    """Asked again and again by an open stream."""
    if principal.session_id is not None:
        return await session_is_alive(session, principal.session_id)
    which = {"id": principal.api_key_id, "now": to_text(utcnow())}
    return (await session.execute(_KEY_IS_ALIVE, which)).first() is not None

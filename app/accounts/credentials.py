"""From what a caller shows to who is calling: one SELECT at each request, so that role and revocation count at once."""

from dataclasses import dataclass
from datetime import timedelta

from app.accounts.principal import ALL_SCOPES, Credential, Principal
from app.accounts.sessions import IDLE_LIFE
from app.clock import utcnow
from app.db.lookup import Lookup
from app.db.types import from_text, to_text
from app.security import tokens

SEEN_EVERY = timedelta(seconds=60)

_SESSION = """
    SELECT u.id, u.username, u.role, s.last_seen_at, u.locale, COALESCE(s.confirmed_at, s.created_at)
    FROM sessions s JOIN users u ON u.id = s.user_id
    WHERE s.id = :id AND s.revoked_at IS NULL AND s.expires_at > :now AND s.last_seen_at > :idle_since
      AND u.disabled_at IS NULL
"""
_API_KEY = """
    SELECT u.id, u.username, u.role, k.id, k.scopes, used.last_used_at
    FROM api_keys k JOIN users u ON u.id = k.user_id
    LEFT JOIN api_key_uses used ON used.key_id = k.id AND used.address = :address
    WHERE k.digest = :digest AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > :now)
      AND u.disabled_at IS NULL
"""
_KEY_IS_ALIVE = """
    SELECT 1 FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.id = :id AND k.revoked_at IS NULL
      AND (k.expires_at IS NULL OR k.expires_at > :now) AND u.disabled_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """`stale`: the row should be told that it was seen."""

    principal: Principal
    stale: bool


async def caller_of_session(lookup: Lookup, session_id: str, credential: Credential) -> Caller | None:
    now = utcnow()
    which = {"id": session_id, "now": to_text(now), "idle_since": to_text(now - IDLE_LIFE)}
    row = await lookup.first(_SESSION, which)
    if row is None:
        return None
    confirmed_at = from_text(row[5])
    principal = Principal(row[0], row[1], row[2], credential, session_id, locale=row[4], confirmed_at=confirmed_at)
    return Caller(principal, now - from_text(row[3]) > SEEN_EVERY)


async def caller_of_api_key(lookup: Lookup, secret: str, address: str = "") -> Caller | None:
    """`stale` also when the key was never used from that address."""
    now = utcnow()
    which = {"digest": tokens.digest(secret), "now": to_text(now), "address": address}
    row = await lookup.first(_API_KEY, which)
    if row is None:
        return None
    scopes = frozenset(scope for scope in ALL_SCOPES if f'"{scope}"' in row[4])
    principal = Principal(row[0], row[1], row[2], "api_key", None, scopes, row[3])
    return Caller(principal, row[5] is None or now - from_text(row[5]) > SEEN_EVERY)


async def is_still_allowed(lookup: Lookup, principal: Principal) -> bool:
    """Asked again and again by an open stream."""
    if principal.session_id is not None:
        return await caller_of_session(lookup, principal.session_id, principal.credential) is not None
    return await lookup.first(_KEY_IS_ALIVE, {"id": principal.api_key_id, "now": to_text(utcnow())}) is not None

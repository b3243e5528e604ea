"""Access tokens and the chain of refresh tokens of a session; reuse of an old link ends the session."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import RefreshToken, Session, User
from app.accounts.sessions import IDLE_LIFE, revoke_session
from app.clock import utcnow
from app.security import jwt, tokens
from app.security.keys import Keyring

GRACE = timedelta(seconds=10)  # two tabs, or a lost answer: the same successor once more


@dataclass(frozen=True, slots=True)
class Pair:
    access_token: str
    refresh_token: str
    session_id: str


async def issue_pair(session: AsyncSession, keyring: Keyring, started: Session) -> Pair:
    """The first pair of a session."""
    refresh = tokens.new_token(tokens.REFRESH)
    session.add(RefreshToken(digest=tokens.digest(refresh), session_id=started.id))
    return Pair(access_token(keyring, started.user_id, started.id), refresh, started.id)


def access_token(keyring: Keyring, user_id: str, session_id: str) -> str:
    return jwt.issue(keyring, jwt.Claims(user_id, session_id))


async def rotate(session: AsyncSession, keyring: Keyring, refresh: str) -> Pair | None:
    """The next pair; None when the token is no good. A reused one revokes its session in this transaction,

    so the caller must let it commit and refuse afterwards.
    """
    if not tokens.is_token(tokens.REFRESH, refresh):
        return None
    # Two that come at once with the same token are served one after the other.
    found = await session.get(RefreshToken, tokens.digest(refresh), with_for_update=True)
    if found is None:
        return None
    now = utcnow()
    owner = await session.scalar(
        select(Session)
        .join(User, User.id == Session.user_id)
        .where(Session.id == found.session_id, Session.revoked_at.is_(None), User.disabled_at.is_(None))
        .where(Session.expires_at > now, Session.last_seen_at > now - IDLE_LIFE)
    )
    if owner is None:
        return None
    if found.used_at is not None and utcnow() - found.used_at > GRACE:
        await revoke_session(session, owner.user_id, owner.id)
        return None
    following = tokens.successor(tokens.REFRESH, refresh, keyring.key("refresh"))
    if found.used_at is None:
        found.used_at, found.successor_digest = utcnow(), tokens.digest(following)
        owner.last_seen_at = utcnow()
        session.add(RefreshToken(digest=tokens.digest(following), session_id=owner.id))
    return Pair(access_token(keyring, owner.user_id, owner.id), following, owner.id)

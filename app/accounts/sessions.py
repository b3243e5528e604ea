"""Signed-in devices: start, list, revoke."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import ApiKey, Session, SessionKind
from app.clock import utcnow
from app.db.lookup import Lookup
from app.errors import not_found

LIFE = timedelta(days=30)
IDLE_LIFE = timedelta(days=7)


async def start_session(
    session: AsyncSession, user_id: str, *, kind: SessionKind, user_agent: str = "", address: str = ""
) -> Session:
    """A new row at every sign-in: nothing that was there before is taken over."""
    now = utcnow()
    started = Session(
        user_id=user_id,
        kind=kind,
        last_seen_at=now,
        expires_at=now + LIFE,
        user_agent=user_agent[:256],
        address=address[:45],
    )
    session.add(started)
    await session.flush()
    return started


_ADDRESSES = """
SELECT DISTINCT s.address FROM sessions s JOIN users u ON u.id = s.user_id
WHERE u.id = :user_id AND u.disabled_at IS NULL
"""


async def addresses_of(lookup: Lookup, user_id: str) -> list[str]:
    """From where this user has signed in."""
    return [row[0] for row in await lookup.all(_ADDRESSES, {"user_id": user_id})]


async def list_sessions(session: AsyncSession, user_id: str) -> Sequence[Session]:
    """Those that are signed in now, the most recently seen first."""
    query = (
        select(Session)
        .where(Session.user_id == user_id, Session.revoked_at.is_(None), Session.expires_at > utcnow())
        .where(Session.last_seen_at > utcnow() - IDLE_LIFE)
        .order_by(Session.last_seen_at.desc())
    )
    return (await session.scalars(query)).all()


async def revoke_session(session: AsyncSession, user_id: str, session_id: str) -> None:
    found = await session.scalar(select(Session).where(Session.id == session_id, Session.user_id == user_id))
    if found is None or found.revoked_at is not None:
        raise not_found()
    found.revoked_at = utcnow()
    await revoke_keys_of(session, ApiKey.session_id == session_id)


async def revoke_others(session: AsyncSession, user_id: str, *, keep: str | None) -> None:
    """Sign out everywhere but in the session `keep`, with the keys that were made there."""
    others = update(Session).where(Session.user_id == user_id, Session.revoked_at.is_(None))
    made = [ApiKey.user_id == user_id, ApiKey.session_id.is_not(None)]
    if keep is not None:
        others, made = others.where(Session.id != keep), [*made, ApiKey.session_id != keep]
    await session.execute(others.values(revoked_at=utcnow()))
    await revoke_keys_of(session, *made)


async def revoke_keys_of(session: AsyncSession, *made: ColumnElement[bool]) -> None:
    """Keys made by a sign-in that is not trusted any more. Who only signs out keeps theirs."""
    await session.execute(update(ApiKey).where(*made, ApiKey.revoked_at.is_(None)).values(revoked_at=utcnow()))


async def end_session(session: AsyncSession, session_id: str) -> None:
    """Sign out; the same for one that is over."""
    await session.execute(
        update(Session).where(Session.id == session_id, Session.revoked_at.is_(None)).values(revoked_at=utcnow())
    )


async def confirm_session(session: AsyncSession, session_id: str) -> None:
    """Its password was given again."""
    await session.execute(update(Session).where(Session.id == session_id).values(confirmed_at=utcnow()))


async def touch_session(session: AsyncSession, session_id: str) -> None:
    await session.execute(update(Session).where(Session.id == session_id).values(last_seen_at=utcnow()))

"""Ways in for one person each: make, list, take back, use."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import Invite
from app.clock import utcnow
from app.errors import AppError, ErrorKind, invalid, not_found
from app.i18n import worded
from app.ids import new_id
from app.security import tokens

INVITE_LIFE = timedelta(days=7)
MAX_LABEL = 100


async def create_invite(
    session: AsyncSession, created_by: str, *, label: str = "", invite_id: str | None = None
) -> tuple[Invite, str]:
    """An invitation and its secret, which is shown once. With an `invite_id` a form sent again makes no second one."""
    if invite_id is not None and await session.get(Invite, invite_id) is not None:
        raise AppError(ErrorKind.conflict, "made_already", "This was made already. Its secret is shown only once.")
    label = " ".join(label.split())
    if len(label) > MAX_LABEL:
        raise invalid("label_too_long", worded("A label has at most {most} characters.", most=MAX_LABEL), "/label")
    secret = tokens.new_token(tokens.INVITE)
    invite = Invite(
        id=invite_id or new_id(),
        digest=tokens.digest(secret),
        created_by=created_by,
        label=label,
        expires_at=utcnow() + INVITE_LIFE,
    )
    session.add(invite)
    await session.flush()
    return invite, secret


async def list_invites(session: AsyncSession, *, limit: int = 100) -> Sequence[Invite]:
    """Those that can still be used, the newest first."""
    query = select(Invite).where(Invite.used_at.is_(None), Invite.expires_at > utcnow()).order_by(Invite.id.desc())
    return (await session.scalars(query.limit(limit))).all()


async def revoke_invite(session: AsyncSession, invite_id: str) -> None:
    invite = await session.get(Invite, invite_id)
    if invite is None or invite.used_at is not None:
        raise not_found()
    await session.delete(invite)


async def find_invite(session: AsyncSession, secret: str) -> Invite | None:
    """The invitation of that secret, while it can be used."""
    return await session.scalar(
        select(Invite).where(
            Invite.digest == tokens.digest(secret), Invite.used_at.is_(None), Invite.expires_at > utcnow()
        )
    )

"""Register, change, disable and delete users."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import ApiKey, Invite, Role, Session, User
from app.clock import utcnow
from app.errors import AppError, ErrorKind, FieldError, invalid, not_found
from app.i18n import worded
from app.security import tokens

USERNAME = re.compile(r"[\w.-]{1,64}")
MIN_PASSWORD, MAX_PASSWORD = 8, 256
INVITE_LIFE = timedelta(days=7)


def fold(text: str) -> str:
    """Two spellings that people would take for one are one."""
    return unicodedata.normalize("NFKC", text).casefold()


def check_account(username: str, email: str, password: str) -> tuple[str, str]:
    """The name and address in their stored spelling; raises `invalid` with every field that is wrong."""
    name, address = unicodedata.normalize("NFKC", username.strip()), email.strip()
    errors = []
    if not USERNAME.fullmatch(name):
        rule = worded("A name has 1 to 64 letters, digits, dots, dashes or underscores.")
        errors.append(FieldError("/username", "invalid_username", rule))
    if not is_email(address):
        errors.append(FieldError("/email", "invalid_email", "An e-mail address has one @ and at most 254 characters."))
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        errors.append(FieldError("/password", "invalid_password", "A password has 8 to 256 characters."))
    if errors:
        raise AppError(ErrorKind.invalid, "invalid_account", errors[0].message, errors=errors)
    return name, address


def is_email(address: str) -> bool:
    local, _, domain = address.partition("@")
    return bool(local and domain) and address.count("@") == 1 and len(address) <= 254 and not re.search(r"\s", address)


async def register(
    session: AsyncSession,
    *,
    username: str,
    email: str,
    password_hash: str,
    signup: str = "open",
    invite: str | None = None,
) -> User:
    """A new user. The first is the administrator, whatever `signup` says: writers take turns, so only one is first."""
    first = await session.scalar(select(User.id).limit(1)) is None
    invitation = None if first else await _way_in(session, signup, invite)
    user = await create_user(
        session, username=username, email=email, password_hash=password_hash, role="admin" if first else "member"
    )
    if invitation is not None:
        invitation.used_at, invitation.used_by = utcnow(), user.id
    return user


async def _way_in(session: AsyncSession, signup: str, invite: str | None) -> Invite | None:
    if signup == "open":
        return None
    if signup == "invite" and invite:
        found = await session.scalar(
            select(Invite).where(
                Invite.digest == tokens.digest(invite), Invite.used_at.is_(None), Invite.expires_at > utcnow()
            )
        )
        if found is not None:
            return found
    raise AppError(ErrorKind.forbidden, "signup_closed", "Sign-up is closed. Ask the administrator for an invitation.")


async def create_user(
    session: AsyncSession, *, username: str, email: str, password_hash: str, role: Role = "member"
) -> User:
    user = User(
        username=username,
        username_folded=fold(username),
        email=email,
        email_folded=fold(email),
        password_hash=password_hash,
        role=role,
    )
    session.add(user)
    await _flush(session)
    return user


async def _flush(session: AsyncSession) -> None:
    try:
        await session.flush()
    except IntegrityError as error:
        field = "email" if "email_folded" in str(error.orig) else "username"
        detail = worded("This e-mail address is taken.") if field == "email" else worded("This name is taken.")
        error_of = [FieldError(f"/{field}", "taken", detail)]
        raise AppError(ErrorKind.conflict, "taken", detail, errors=error_of) from None


async def get_user(session: AsyncSession, user_id: str) -> User:
    user = await session.get(User, user_id)
    if user is None:
        raise not_found()
    return user


async def list_users(session: AsyncSession, *, after: str | None = None, limit: int = 50) -> Sequence[User]:
    """Oldest first, newer than the user `after`."""
    query = select(User).order_by(User.id).limit(limit)
    return (await session.scalars(query.where(User.id > after) if after else query)).all()


async def update_user(session: AsyncSession, user_id: str, changes: dict[str, Any]) -> User:
    """Set what `changes` names: email, locale, default_model, role, disabled."""
    user = await get_user(session, user_id)
    if changes.get("role") == "member" or changes.get("disabled"):
        await _keep_an_admin(session, user)
    if (email := changes.pop("email", None)) is not None:
        if not is_email(email):
            raise invalid("invalid_email", "An e-mail address has one @ and at most 254 characters.", "/email")
        user.email, user.email_folded = email, fold(email)
    if (disabled := changes.pop("disabled", None)) is not None:
        user.disabled_at = utcnow() if disabled else None
        if disabled:
            await _end_everything(session, user_id, keep_session=None)
    for name, value in changes.items():
        setattr(user, name, value)
    await _flush(session)
    return user


async def refuse_last_admin(session: AsyncSession, user_id: str) -> None:
    """Before anything of a user is ended for a deletion that would then be refused."""
    await _keep_an_admin(session, await get_user(session, user_id))


async def delete_user(session: AsyncSession, user_id: str) -> None:
    """With everything that is theirs; running jobs must have been cancelled before."""
    user = await get_user(session, user_id)
    await _keep_an_admin(session, user)
    await session.delete(user)


async def _keep_an_admin(session: AsyncSession, user: User) -> None:
    others = select(func.count()).where(User.role == "admin", User.id != user.id, User.disabled_at.is_(None))
    if user.role == "admin" and not await session.scalar(others.select_from(User)):
        raise AppError(ErrorKind.conflict, "last_admin", "Somebody has to remain administrator.")


async def set_password(session: AsyncSession, user_id: str, password_hash: str, *, keep_session: str | None) -> None:
    """A new password ends every other sign-in and every API key: whoever had the old one is out."""
    user = await get_user(session, user_id)
    user.password_hash = password_hash
    await _end_everything(session, user_id, keep_session=keep_session)


async def _end_everything(session: AsyncSession, user_id: str, *, keep_session: str | None) -> None:
    """Sessions with their cookies and tokens, and API keys."""
    now = utcnow()
    others = update(Session).where(Session.user_id == user_id, Session.revoked_at.is_(None))
    if keep_session is not None:
        others = others.where(Session.id != keep_session)
    await session.execute(others.values(revoked_at=now))
    await session.execute(
        update(ApiKey).where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None)).values(revoked_at=now)
    )


async def create_invite(session: AsyncSession, created_by: str) -> tuple[Invite, str]:
    """An invitation and its secret, which is shown once."""
    secret = tokens.new_token(tokens.INVITE)
    invite = Invite(digest=tokens.digest(secret), created_by=created_by, expires_at=utcnow() + INVITE_LIFE)
    session.add(invite)
    await session.flush()
    return invite, secret

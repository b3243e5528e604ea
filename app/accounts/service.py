"""Register, change, disable and delete users."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.invites import find_invite
from app.accounts.models import ApiKey, Invite, Role, User
from app.accounts.sessions import revoke_others
from app.clock import utcnow
from app.db.lookup import Lookup
from app.db.session import take_turns
from app.errors import AppError, ErrorKind, FieldError, invalid, not_found
from app.i18n import worded
from app.security.hashing import MAX_PASSWORD

ADMINISTRATORS = "administrators"  # whoever decides by who there is takes turns about it
USERNAME = re.compile(r"[\w.-]{1,64}")
MIN_PASSWORD = 8
MAX_LOGIN = 254


def fold(text: str) -> str:
    """Two spellings that people would take for one are one. Raises `too_long` for what is nobody's name or address."""
    if len(text) > MAX_LOGIN:  # to normalise takes quadratic time
        raise invalid(
            "too_long", worded("A name or address has at most {most} characters.", most=MAX_LOGIN), "/username"
        )
    return unicodedata.normalize("NFKC", text).casefold()


_WHO = "SELECT id FROM users WHERE username_folded = :login OR email_folded = :login LIMIT 1"


async def user_id_of(lookup: Lookup, folded_login: str) -> str | None:
    """Whose name or e-mail address that is."""
    row = await lookup.first(_WHO, {"login": folded_login})
    return row[0] if row else None


def check_account(username: str, email: str, password: str) -> tuple[str, str]:
    """The name and address in their stored spelling; raises `invalid` with every field that is wrong."""
    name, address = username.strip(), email.strip()
    if len(name) <= MAX_LOGIN:
        name = unicodedata.normalize("NFKC", name)
    errors = []
    if not USERNAME.fullmatch(name):
        rule = worded("A name has 1 to 64 letters, digits, dots, dashes or underscores.")
        errors.append(FieldError("/username", "invalid_username", rule))
    if not is_email(address):
        errors.append(FieldError("/email", "invalid_email", "An e-mail address has one @ and at most 254 characters."))
    if not _is_password(password):
        errors.append(FieldError("/password", "invalid_password", "A password has 8 to 256 characters."))
    if errors:
        raise AppError(ErrorKind.invalid, "invalid_account", errors[0].message, errors=errors)
    return name, address


def check_password(password: str, pointer: str = "/password") -> None:
    if not _is_password(password):
        raise invalid("invalid_password", "A password has 8 to 256 characters.", pointer)


def _is_password(password: str) -> bool:
    return MIN_PASSWORD <= len(password) <= MAX_PASSWORD


def is_email(address: str) -> bool:
    local, _, domain = address[: MAX_LOGIN + 1].partition("@")
    is_long = len(address) > MAX_LOGIN
    return bool(local and domain) and not is_long and address.count("@") == 1 and not re.search(r"\s", address)


async def register(
    session: AsyncSession,
    *,
    username: str,
    email: str,
    password_hash: str,
    signup: str = "open",
    invite: str | None = None,
    locale: str = "en",
) -> User:
    """A new user. The first is the administrator, whatever `signup` says: writers take turns, so only one is first."""
    await take_turns(session, ADMINISTRATORS)
    first = await session.scalar(select(User.id).limit(1)) is None
    invitation = None if first else await _way_in(session, signup, invite)
    role: Role = "admin" if first else "member"
    user = await create_user(
        session, username=username, email=email, password_hash=password_hash, role=role, locale=locale
    )
    if invitation is not None:
        invitation.used_at, invitation.used_by = utcnow(), user.id
    return user


async def _way_in(session: AsyncSession, signup: str, invite: str | None) -> Invite | None:
    if signup == "open":
        return None
    if signup == "invite" and invite:
        found = await find_invite(session, invite)
        if found is not None:
            return found
    raise AppError(ErrorKind.forbidden, "signup_closed", "Sign-up is closed. Ask the administrator for an invitation.")


async def create_user(
    session: AsyncSession,
    *,
    username: str,
    email: str,
    password_hash: str,
    role: Role = "member",
    locale: str = "en",
) -> User:
    user = User(
        username=username,
        username_folded=fold(username),
        email=email,
        email_folded=fold(email),
        password_hash=password_hash,
        role=role,
        locale=locale,
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


async def count_users(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(User)) or 0


async def usernames_of(session: AsyncSession, user_ids: Iterable[str]) -> dict[str, str]:
    """Id to name."""
    query = select(User.id, User.username).where(User.id.in_(set(user_ids)))
    return {row[0]: row[1] for row in await session.execute(query)}


async def update_user(session: AsyncSession, user_id: str, changes: dict[str, Any]) -> User:
    """Set what `changes` names: email, locale, default_model, role, disabled."""
    if "role" in changes or "disabled" in changes:
        await take_turns(session, ADMINISTRATORS)
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
    await take_turns(session, ADMINISTRATORS)
    user = await get_user(session, user_id)
    await _keep_an_admin(session, user)
    await session.delete(user)


async def _keep_an_admin(session: AsyncSession, user: User) -> None:
    if await is_last_admin(session, user.id):
        raise AppError(ErrorKind.conflict, "last_admin", "Somebody has to remain administrator.")


async def is_last_admin(session: AsyncSession, user_id: str) -> bool:
    """Whether nobody else could administer: then this one stays. One who cannot sign in does not count."""
    user = await get_user(session, user_id)
    others = select(func.count()).where(User.role == "admin", User.id != user_id, User.disabled_at.is_(None))
    return user.role == "admin" and not await session.scalar(others.select_from(User))


async def set_password(session: AsyncSession, user_id: str, password_hash: str, *, keep_session: str | None) -> None:
    """A new password ends every other sign-in and every API key: whoever had the old one is out."""
    user = await get_user(session, user_id)
    user.password_hash = password_hash
    await _end_everything(session, user_id, keep_session=keep_session)


async def _end_everything(session: AsyncSession, user_id: str, *, keep_session: str | None) -> None:
    """Sessions with their cookies and tokens, and API keys."""
    await revoke_others(session, user_id, keep=keep_session)
    await session.execute(
        update(ApiKey).where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None)).values(revoked_at=utcnow())
    )

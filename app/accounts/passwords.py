"""Check a password; an unknown user costs the same work as a known one."""

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.accounts.service import fold
from app.db.session import Database
from app.errors import AppError, ErrorKind
from app.security import hashing


def wrong_credentials() -> AppError:
    return AppError(ErrorKind.unauthenticated, "wrong_credentials", "The name or the password is wrong.")


async def check_login(database: Database, login: str, password: str) -> User:
    """The user of that name or e-mail address, if the password is theirs; else `wrong_credentials`."""
    folded = fold(login.strip())
    async with database.read() as session:
        query = select(User).where(or_(User.username_folded == folded, User.email_folded == folded))
        # A name that is somebody else's address must not shadow it: names have no @.
        user = await session.scalar(query.limit(1))
    right = await hashing.verify_password(password, user.password_hash if user is not None else None)
    if user is None or not right or user.disabled_at is not None:
        raise wrong_credentials()
    return user


async def refuse_if_changed(session: AsyncSession, user: User) -> None:
    """In the transaction that signs in: a password changed, or a user disabled, since it was looked at counts."""
    query = select(User.password_hash, User.disabled_at).where(User.id == user.id)
    row = (await session.execute(query)).first()
    if row is None or row[0] != user.password_hash or row[1] is not None:
        raise wrong_credentials()


async def check_current(database: Database, user_id: str, password: str) -> None:
    """Raise unless it is this user's password."""
    async with database.read() as session:
        stored = await session.scalar(select(User.password_hash).where(User.id == user_id))
    if not await hashing.verify_password(password, stored):
        raise AppError(ErrorKind.forbidden, "wrong_password", "The current password is wrong.")

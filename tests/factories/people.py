"""Alice owns, Bob is a member, Charlie is a stranger, Dana administers: straight into the database, without sign-in."""

from app.accounts.models import User
from app.accounts.principal import Principal
from app.db.session import Database


async def add_person(database: Database, name: str, *, role: str = "member") -> Principal:
    """A user who cannot sign in with a password, as a principal with all scopes."""
    async with database.transaction() as session:
        user = User(
            username=name,
            username_folded=name.casefold(),
            email=f"{name}@example.org".lower(),
            email_folded=f"{name}@example.org".casefold(),
            password_hash="!",
            role=role,
        )
        session.add(user)
        await session.flush()
    return Principal(user.id, name, user.role, "access_token")

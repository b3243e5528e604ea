"""People who can sign in, sessions and keys, through the domain's own functions."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from argon2 import PasswordHasher

from app.accounts import api_keys, service, sessions
from app.accounts.access_tokens import Pair, issue_pair
from app.accounts.models import ApiKey, SessionKind, User
from app.accounts.principal import Principal, Scope
from app.db.session import Database
from app.security.hashing import LANES, MEMORY_KIB, PASSES
from app.security.keys import Keyring

PASSWORD = "a long enough password"


@lru_cache(maxsize=1)
def password_hash() -> str:
    """Of `PASSWORD`, made once."""
    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES).hash(PASSWORD)


async def registered(database: Database, name: str, **registration: str | None) -> User:
    """By the same function as the faces use: the first one is the administrator."""
    async with database.transaction() as session:
        return await service.register(
            session,
            username=name,
            email=f"{name}@example.org",
            password_hash=password_hash(),
            **registration,  # type: ignore[arg-type]
        )


async def signed_in(database: Database, keyring: Keyring, user: User, kind: SessionKind = "api") -> Pair:
    async with database.transaction() as session:
        started = await sessions.start_session(session, user.id, kind=kind)
        return await issue_pair(session, keyring, started)


def principal_of(user: User, session_id: str | None = None) -> Principal:
    return Principal(user.id, user.username, user.role, "access_token", session_id)


async def key_of(
    database: Database, user: User, scopes: Sequence[Scope] = ("read", "write"), expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    async with database.transaction() as session:
        return await api_keys.create_key(
            session, principal_of(user), name="script", scopes=scopes, expires_at=expires_at
        )

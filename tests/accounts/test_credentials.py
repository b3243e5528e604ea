"""One look-up per request decides on every path, also for what is open already. (A24, A35)"""

import pytest

from app.accounts import service, sessions
from app.accounts.credentials import Caller, caller_of_session, is_still_allowed
from app.accounts.models import User
from app.accounts.principal import Credential, Principal
from app.db.session import Database
from app.errors import AppError
from app.security.keys import Keyring
from tests.accounts.conftest import Clock
from tests.factories.accounts import key_of, registered, signed_in


async def caller(database: Database, session_id: str, credential: Credential = "access_token") -> Caller | None:
    return await caller_of_session(database.lookup, session_id, credential)


async def member(database: Database) -> User:
    await registered(database, "dana")
    return await registered(database, "alice")


async def test_a_session_says_who(database: Database, keyring: Keyring) -> None:
    alice = await member(database)
    pair = await signed_in(database, keyring, alice)
    found = await caller(database, pair.session_id, "cookie")
    assert found is not None and not found.stale
    assert found.principal == Principal(alice.id, "alice", "member", "cookie", pair.session_id)
    assert await caller(database, "0198c0de-0000-7000-8000-000000000000") is None


async def test_a_session_ends_after_a_week_unseen_and_is_kept_by_being_seen(
    database: Database, keyring: Keyring, clock: Clock
) -> None:
    pair = await signed_in(database, keyring, await member(database))
    for _ in range(4):
        clock.forward(days=6)
        found = await caller(database, pair.session_id)
        assert found is not None and found.stale
        async with database.transaction() as session:
            await sessions.touch_session(session, pair.session_id)
    clock.forward(days=6)
    assert await caller(database, pair.session_id) is None, "thirty days are the end in any case"


async def test_a_role_counts_from_the_next_request(database: Database, keyring: Keyring) -> None:
    alice = await member(database)
    pair = await signed_in(database, keyring, alice)
    for role, is_admin in (("admin", True), ("member", False)):
        async with database.transaction() as session:
            await service.update_user(session, alice.id, {"role": role})
        found = await caller(database, pair.session_id)
        assert found is not None and found.principal.is_admin is is_admin


@pytest.mark.parametrize("end", ["sign out", "revoke", "disable", "delete", "password"])
async def test_A24_A35_every_end_counts_at_once_on_every_path(database: Database, keyring: Keyring, end: str) -> None:
    alice = await member(database)
    pair = await signed_in(database, keyring, alice)
    key, _ = await key_of(database, alice)
    by_session = Principal(alice.id, "alice", "member", "cookie", pair.session_id)
    by_key = Principal(alice.id, "alice", "member", "api_key", None, frozenset({"read"}), key.id)
    assert await is_still_allowed(database.lookup, by_session) and await is_still_allowed(database.lookup, by_key)
    async with database.transaction() as session:
        if end == "sign out":
            await sessions.end_session(session, pair.session_id)
        elif end == "revoke":
            await sessions.revoke_session(session, alice.id, pair.session_id)
        elif end == "disable":
            await service.update_user(session, alice.id, {"disabled": True})
        elif end == "delete":
            await service.delete_user(session, alice.id)
        else:
            await service.set_password(session, alice.id, "!", keep_session=None)
    assert not await is_still_allowed(database.lookup, by_session)
    assert await is_still_allowed(database.lookup, by_key) is (end in ("sign out", "revoke"))
    assert await caller(database, pair.session_id, "cookie") is None


async def test_a_session_is_revoked_by_its_owner_alone_and_once(database: Database, keyring: Keyring) -> None:
    alice = await member(database)
    bob = await registered(database, "bob")
    pair = await signed_in(database, keyring, alice)
    with pytest.raises(AppError, match="nothing here"):
        async with database.transaction() as session:
            await sessions.revoke_session(session, bob.id, pair.session_id)
    async with database.transaction() as session:
        await sessions.revoke_session(session, alice.id, pair.session_id)
    with pytest.raises(AppError, match="nothing here"):
        async with database.transaction() as session:
            await sessions.revoke_session(session, alice.id, pair.session_id)


async def test_the_list_of_devices_shows_the_living_ones(database: Database, keyring: Keyring, clock: Clock) -> None:
    alice = await member(database)
    old = await signed_in(database, keyring, alice)
    clock.forward(days=8)
    async with database.transaction() as session:
        started = await sessions.start_session(session, alice.id, kind="page", user_agent="x" * 999, address="y" * 99)
    ended = await signed_in(database, keyring, alice)
    async with database.transaction() as session:
        await sessions.end_session(session, ended.session_id)
    async with database.read() as session:
        listed = await sessions.list_sessions(session, alice.id)
    assert old.session_id not in {item.id for item in listed}
    assert [item.id for item in listed] == [started.id]
    assert len(listed[0].user_agent) == 256 and len(listed[0].address) == 45

"""Keys for programs: never more than their maker has, and over when it is said."""

from datetime import UTC, datetime, timedelta

import pytest

from app.accounts import api_keys, service
from app.accounts.credentials import caller_of_api_key
from app.accounts.principal import Principal, Scope
from app.db.session import Database
from app.errors import AppError
from tests.accounts.conftest import Clock
from tests.factories.accounts import key_of, principal_of, registered


async def principal_behind(database: Database, secret: str) -> Principal | None:
    caller = await caller_of_api_key(database.lookup, secret)
    return caller.principal if caller else None


async def test_a_key_says_who_and_how_far(database: Database) -> None:
    alice = await registered(database, "alice")
    key, secret = await key_of(database, alice, ["read"])
    principal = await principal_behind(database, secret)
    assert principal is not None
    assert (principal.user_id, principal.credential, principal.api_key_id) == (alice.id, "api_key", key.id)
    assert principal.scopes == {"read"}
    for scope in ("write", "admin"):
        with pytest.raises(AppError) as refused:
            principal.require(scope)
        assert (refused.value.kind, refused.value.code) == ("forbidden", "insufficient_scope")
    assert not principal.is_admin, "an administrator's key without the scope administers nothing"


@pytest.mark.parametrize("wanted", [["admin"], ["read", "write", "admin"]])
async def test_a_member_makes_no_administrators_key(database: Database, wanted: list[Scope]) -> None:
    await registered(database, "dana")
    alice = await registered(database, "alice")
    with pytest.raises(AppError, match="admin"):
        await key_of(database, alice, wanted)


async def test_a_key_makes_no_stronger_key(database: Database) -> None:
    dana = await registered(database, "dana")
    weak = Principal(dana.id, "dana", "admin", "api_key", None, frozenset({"write"}), "k")
    for wanted in ("read", "admin"):
        with pytest.raises(AppError, match=wanted):
            async with database.transaction() as session:
                await api_keys.create_key(session, weak, name="x", scopes=[wanted], expires_at=None)


async def test_a_demoted_administrators_key_administers_no_longer(database: Database) -> None:
    dana, alice = await registered(database, "dana"), await registered(database, "alice")
    _, secret = await key_of(database, dana, ["read", "admin"])
    before = await principal_behind(database, secret)
    assert before is not None and before.is_admin
    async with database.transaction() as session:
        await service.update_user(session, alice.id, {"role": "admin"})
        await service.update_user(session, dana.id, {"role": "member"})
    after = await principal_behind(database, secret)
    assert after is not None and not after.is_admin


async def test_a_key_ends_when_it_was_said(database: Database, clock: Clock) -> None:
    alice = await registered(database, "alice")
    _, secret = await key_of(database, alice, expires_at=clock.now + timedelta(hours=1))
    clock.forward(minutes=59)
    assert await principal_behind(database, secret) is not None
    clock.forward(minutes=1)
    assert await principal_behind(database, secret) is None
    with pytest.raises(AppError, match="expired"):
        await key_of(database, alice, expires_at=datetime(2020, 1, 1, tzinfo=UTC))


async def test_a_revoked_key_is_over_and_not_there(database: Database) -> None:
    alice, bob = await registered(database, "alice"), await registered(database, "bob")
    key, secret = await key_of(database, alice)
    for user_id, key_id in ((bob.id, key.id), (alice.id, "0198c0de-0000-7000-8000-000000000000")):
        with pytest.raises(AppError, match="nothing here"):
            async with database.transaction() as session:
                await api_keys.revoke_key(session, user_id, key_id)
    assert await principal_behind(database, secret) is not None
    async with database.transaction() as session:
        await api_keys.revoke_key(session, alice.id, key.id)
    assert await principal_behind(database, secret) is None
    async with database.read() as session:
        assert await api_keys.list_keys(session, alice.id) == []
    with pytest.raises(AppError, match="nothing here"):
        async with database.transaction() as session:
            await api_keys.revoke_key(session, alice.id, key.id)


async def test_A24_a_disabled_users_key_is_over(database: Database) -> None:
    await registered(database, "dana")
    alice = await registered(database, "alice")
    _, secret = await key_of(database, alice)
    async with database.transaction() as session:
        await service.update_user(session, alice.id, {"disabled": True})
    assert await principal_behind(database, secret) is None


async def test_the_secret_is_nowhere_but_in_the_answer(database: Database) -> None:
    alice = await registered(database, "alice")
    key, secret = await key_of(database, alice)
    assert secret not in str(vars(key))
    assert await principal_behind(database, secret[:-1] + ("A" if secret[-1] != "A" else "B")) is None


async def test_nobody_hoards_keys(database: Database) -> None:
    alice = await registered(database, "alice")
    async with database.transaction() as session:
        for n in range(api_keys.MAX_KEYS):
            await api_keys.create_key(session, principal_of(alice), name=str(n), scopes=["read"], expires_at=None)
    with pytest.raises(AppError, match="50 keys"):
        await key_of(database, alice)

"""Registration, invitations, the last administrator, what a change of rights ends."""

import asyncio
import multiprocessing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.accounts import invites, service
from app.accounts.models import ApiKey, Session, User
from app.db.session import Database
from app.errors import AppError
from app.security.keys import Keyring
from tests.accounts.conftest import Clock
from tests.factories.accounts import key_of, password_hash, registered, signed_in


async def roles(database: Database) -> list[str]:
    async with database.read() as session:
        return sorted(await session.scalars(select(User.role)))


async def test_the_first_to_register_administers_and_nobody_after(database: Database) -> None:
    people = [await registered(database, name) for name in ("dana", "alice", "bob")]
    assert [person.role for person in people] == ["admin", "member", "member"]


async def test_A22_fifty_at_once_make_one_administrator(database: Database) -> None:
    await asyncio.gather(*(registered(database, f"person{n}") for n in range(50)))
    assert await roles(database) == ["admin"] + ["member"] * 49


def _register_many(path: Path, number: int, barrier: Any) -> None:
    async def run() -> None:
        database = Database(path)
        barrier.wait()
        await asyncio.gather(*(registered(database, f"p{number}-{n}") for n in range(10)))
        await database.dispose()

    asyncio.run(run())


async def test_A22_four_processes_at_once_make_one_administrator(database: Database) -> None:
    context = multiprocessing.get_context("forkserver")
    barrier = context.Barrier(4)
    password_hash()
    started = [context.Process(target=_register_many, args=(database.where, n, barrier)) for n in range(4)]
    for process in started:
        process.start()
    for process in started:
        await asyncio.to_thread(process.join, 60)
    assert [process.exitcode for process in started] == [0] * 4
    assert await roles(database) == ["admin"] + ["member"] * 39


@pytest.mark.parametrize(
    ("username", "email", "password", "field"),
    [
        ("", "a@b", "long enough", "/username"),
        ("x" * 65, "a@b", "long enough", "/username"),
        ("two words", "a@b", "long enough", "/username"),
        ("a@b", "a@b", "long enough", "/username"),
        ("<b>", "a@b", "long enough", "/username"),
        ("a\u202eb", "a@b", "long enough", "/username"),
        ("\ufdfa" * 60, "a@b", "long enough", "/username"),
        ("alice", "nobody", "long enough", "/email"),
        ("alice", "@b", "long enough", "/email"),
        ("alice", "a@", "long enough", "/email"),
        ("alice", "a@b@c", "long enough", "/email"),
        ("alice", "a b@c", "long enough", "/email"),
        ("alice", "a@" + "b" * 253, "long enough", "/email"),
        ("alice", "a@b", "short12", "/password"),
        ("alice", "a@b", "x" * 257, "/password"),
    ],
)
def test_input_that_is_refused_says_where(username: str, email: str, password: str, field: str) -> None:
    with pytest.raises(AppError) as refused:
        service.check_account(username, email, password)
    assert [error.pointer for error in refused.value.errors] == [field]
    assert all(password not in error.message for error in refused.value.errors)


@pytest.mark.parametrize(
    ("username", "stored"),
    [
        ("alice", "alice"),
        (" Alice ", "Alice"),
        ("ａlice", "alice"),
        ("茶馆", "茶馆"),
        ("a.b-c_9", "a.b-c_9"),
        ("ß", "ß"),
    ],
)
def test_names_are_kept_as_written_but_in_one_form(username: str, stored: str) -> None:
    assert service.check_account(username, " a@b ", "x" * 8) == (stored, "a@b")


@pytest.mark.parametrize(
    ("name", "email", "field"),
    [
        ("ALICE", "other@x", "/username"),
        ("ａｌｉｃｅ", "other@x", "/username"),
        ("other", "ALICE@example.org", "/email"),
    ],
)
async def test_a_spelling_of_the_same_name_or_address_is_taken(
    database: Database, name: str, email: str, field: str
) -> None:
    await registered(database, "alice")
    with pytest.raises(AppError) as refused:
        async with database.transaction() as session:
            await service.create_user(session, username=name, email=email, password_hash="!")
    assert (refused.value.kind, refused.value.code) == ("conflict", "taken")
    assert [error.pointer for error in refused.value.errors] == [field]
    assert await roles(database) == ["admin"]


@pytest.mark.parametrize("signup", ["closed", "invite"])
async def test_a_closed_door_lets_the_first_in_and_nobody_else(database: Database, signup: str) -> None:
    await registered(database, "dana", signup=signup)
    for invite in (None, "", "thi_" + "A" * 43, "' OR 1=1"):
        with pytest.raises(AppError) as refused:
            await registered(database, "alice", signup=signup, invite=invite)
        assert (refused.value.kind, refused.value.code) == ("forbidden", "signup_closed")
    assert await roles(database) == ["admin"]


async def test_A26_behind_a_closed_door_nobody_learns_which_names_are_taken(database: Database) -> None:
    await registered(database, "dana")
    answers = set()
    for name in ("dana", "nobody"):
        with pytest.raises(AppError) as refused:
            await registered(database, name, signup="closed")
        answers.add((refused.value.code, refused.value.detail, refused.value.errors))
    assert len(answers) == 1


async def invitation(database: Database, creator: User) -> str:
    async with database.transaction() as session:
        return (await invites.create_invite(session, creator.id))[1]


async def test_an_invitation_lets_exactly_one_in(database: Database) -> None:
    dana = await registered(database, "dana")
    secret = await invitation(database, dana)
    tried = await asyncio.gather(
        *(registered(database, f"person{n}", signup="invite", invite=secret) for n in range(10)), return_exceptions=True
    )
    assert sum(isinstance(result, User) for result in tried) == 1
    assert {str(r) for r in tried if isinstance(r, AppError)} == {
        "Sign-up is closed. Ask the administrator for an invitation."
    }
    assert await roles(database) == ["admin", "member"]


async def test_an_invitation_is_not_used_up_by_a_refusal(database: Database) -> None:
    dana = await registered(database, "dana")
    secret = await invitation(database, dana)
    with pytest.raises(AppError, match="taken"):
        await registered(database, "dana", signup="invite", invite=secret)
    await registered(database, "alice", signup="invite", invite=secret)


async def test_an_invitation_ends_after_a_week_and_with_the_door_closed(database: Database, clock: Clock) -> None:
    secret = await invitation(database, await registered(database, "dana"))
    with pytest.raises(AppError):
        await registered(database, "alice", signup="closed", invite=secret)
    clock.forward(days=7)
    with pytest.raises(AppError):
        await registered(database, "alice", signup="invite", invite=secret)
    clock.forward(seconds=-1)
    await registered(database, "alice", signup="invite", invite=secret)


async def change(database: Database, user: User, **changes: Any) -> User:
    async with database.transaction() as session:
        return await service.update_user(session, user.id, changes)


async def test_the_last_administrator_stays_one(database: Database) -> None:
    dana, alice = await registered(database, "dana"), await registered(database, "alice")
    for refused in ({"role": "member"}, {"disabled": True}):
        with pytest.raises(AppError) as error:
            await change(database, dana, **refused)
        assert error.value.code == "last_admin"
    for verb in (service.delete_user, service.refuse_last_admin):
        with pytest.raises(AppError, match="remain administrator"):
            async with database.transaction() as session:
                await verb(session, dana.id)
    await change(database, alice, role="admin")
    await change(database, dana, role="member")
    with pytest.raises(AppError):
        await change(database, alice, role="member")
    assert await roles(database) == ["admin", "member"]


async def test_a_disabled_administrator_does_not_count_as_one(database: Database) -> None:
    dana, alice = await registered(database, "dana"), await registered(database, "alice")
    await change(database, alice, role="admin")
    await change(database, alice, disabled=True)
    with pytest.raises(AppError, match="remain administrator"):
        await change(database, dana, role="member")


async def test_two_administrators_cannot_remove_each_other_at_once(database: Database) -> None:
    dana, alice = await registered(database, "dana"), await registered(database, "alice")
    await change(database, alice, role="admin")
    done = await asyncio.gather(
        change(database, dana, role="member"), change(database, alice, role="member"), return_exceptions=True
    )
    assert sum(isinstance(result, AppError) for result in done) == 1
    assert await roles(database) == ["admin", "member"]


async def living(database: Database, user: User) -> tuple[int, int]:
    async with database.read() as session:
        sessions = select(func.count()).where(Session.user_id == user.id, Session.revoked_at.is_(None))
        keys = select(func.count()).where(ApiKey.user_id == user.id, ApiKey.revoked_at.is_(None))
        return (await session.scalar(sessions) or 0, await session.scalar(keys) or 0)


async def test_a_new_password_ends_every_other_sign_in_and_every_key(database: Database, keyring: Keyring) -> None:
    alice, bob = await registered(database, "alice"), await registered(database, "bob")
    kept = await signed_in(database, keyring, alice)
    for kind in ("page", "api"):
        await signed_in(database, keyring, alice, kind)
    await key_of(database, alice)
    await signed_in(database, keyring, bob)
    async with database.transaction() as session:
        await service.set_password(session, alice.id, "!", keep_session=kept.session_id)
    assert await living(database, alice) == (1, 0)
    assert await living(database, bob) == (1, 0)


async def test_disabling_ends_everything_and_enabling_brings_nothing_back(database: Database, keyring: Keyring) -> None:
    await registered(database, "dana")
    alice = await registered(database, "alice")
    await signed_in(database, keyring, alice)
    await key_of(database, alice)
    await change(database, alice, disabled=True)
    assert await living(database, alice) == (0, 0)
    assert (await change(database, alice, disabled=False)).disabled_at is None
    assert await living(database, alice) == (0, 0)


async def test_a_deleted_user_leaves_no_row(database: Database, keyring: Keyring) -> None:
    dana = await registered(database, "dana")
    secret = await invitation(database, dana)
    alice = await registered(database, "alice", signup="invite", invite=secret)
    await signed_in(database, keyring, alice)
    await key_of(database, alice)
    async with database.transaction() as session:
        await service.delete_user(session, alice.id)
    assert await living(database, alice) == (0, 0)
    with pytest.raises(AppError):
        await registered(database, "again", signup="invite", invite=secret)


async def test_a_list_goes_on_after_its_last(database: Database) -> None:
    people = [await registered(database, f"person{n}") for n in range(5)]
    async with database.read() as session:
        first = await service.list_users(session, limit=2)
        rest = await service.list_users(session, after=first[-1].id, limit=10)
    assert [user.id for user in [*first, *rest]] == [user.id for user in people]


async def test_an_invitation_is_kept_as_a_digest(database: Database) -> None:
    dana = await registered(database, "dana")
    async with database.transaction() as session:
        invite, secret = await invites.create_invite(session, dana.id)
    assert secret not in str(vars(invite))
    assert invite.expires_at - invite.created_at <= timedelta(days=7, seconds=1)

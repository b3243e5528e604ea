"""The chain of refresh tokens: rotation, reuse, the grace of two tabs, every end. (A31)"""

import asyncio

from sqlalchemy import func, select

from app.accounts import service, sessions
from app.accounts.access_tokens import Pair, rotate
from app.accounts.models import RefreshToken
from app.db.session import Database
from app.security import jwt, tokens
from app.security.keys import Keyring
from tests.accounts.conftest import Clock
from tests.factories.accounts import registered, signed_in


async def turn(database: Database, keyring: Keyring, refresh: str) -> Pair | None:
    async with database.transaction() as session:
        return await rotate(session, keyring, refresh)


async def first_pair(database: Database, keyring: Keyring) -> Pair:
    return await signed_in(database, keyring, await registered(database, "alice"))


async def test_a_chain_goes_on_link_by_link(database: Database, keyring: Keyring, clock: Clock) -> None:
    pair = await first_pair(database, keyring)
    seen = {pair.refresh_token}
    for _ in range(10):
        clock.forward(minutes=20)
        following = await turn(database, keyring, pair.refresh_token)
        assert following is not None and following.session_id == pair.session_id
        assert jwt.decode(keyring, following.access_token).session_id == pair.session_id
        assert following.refresh_token not in seen
        seen.add(following.refresh_token)
        pair = following


async def test_A31_reuse_after_the_grace_ends_the_whole_family(
    database: Database, keyring: Keyring, clock: Clock
) -> None:
    stolen = await first_pair(database, keyring)
    fresh = await turn(database, keyring, stolen.refresh_token)
    assert fresh is not None
    clock.forward(seconds=10.5)
    assert await turn(database, keyring, stolen.refresh_token) is None
    assert await turn(database, keyring, fresh.refresh_token) is None, "the thief's or the owner's: both are out"


async def test_A31_a_stolen_token_used_first_is_found_out_by_its_owner(
    database: Database, keyring: Keyring, clock: Clock
) -> None:
    pair = await first_pair(database, keyring)
    thiefs = await turn(database, keyring, pair.refresh_token)
    clock.forward(minutes=14)
    assert await turn(database, keyring, pair.refresh_token) is None
    assert thiefs is not None and await turn(database, keyring, thiefs.refresh_token) is None


async def test_A31_two_tabs_get_the_same_successor(database: Database, keyring: Keyring, clock: Clock) -> None:
    pair = await first_pair(database, keyring)
    found = await asyncio.gather(*(turn(database, keyring, pair.refresh_token) for _ in range(10)))
    clock.forward(seconds=9.5)
    found.append(await turn(database, keyring, pair.refresh_token))
    assert len({following.refresh_token for following in found if following}) == 1
    assert None not in found
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(RefreshToken)) == 2


async def test_A31_after_sign_out_disabling_password_change_or_thirty_days_nothing_turns(
    database: Database, keyring: Keyring, clock: Clock
) -> None:
    await registered(database, "dana")
    alice = await registered(database, "alice")
    for end in ("sign out", "disable", "password", "idle"):
        pair = await signed_in(database, keyring, alice)
        async with database.transaction() as session:
            if end == "sign out":
                await sessions.end_session(session, pair.session_id)
            elif end == "disable":
                await service.update_user(session, alice.id, {"disabled": True})
            elif end == "password":
                await service.set_password(session, alice.id, "!", keep_session=None)
        if end == "idle":
            clock.forward(days=7)
        assert await turn(database, keyring, pair.refresh_token) is None, end
        async with database.transaction() as session:
            await service.update_user(session, alice.id, {"disabled": False})
        assert await turn(database, keyring, pair.refresh_token) is None, f"{end}, then enabled"


async def test_A31_a_session_in_daily_use_ends_after_thirty_days(
    database: Database, keyring: Keyring, clock: Clock
) -> None:
    pair: Pair | None = await first_pair(database, keyring)
    days = 0
    while pair is not None:
        clock.forward(days=1)
        days += 1
        pair = await turn(database, keyring, pair.refresh_token)
    assert days == 30


async def test_A27_nothing_else_is_a_refresh_token(database: Database, keyring: Keyring) -> None:
    pair = await first_pair(database, keyring)
    body = pair.refresh_token.removeprefix(tokens.REFRESH)
    for other in (pair.access_token, "", "thr_", tokens.API_KEY + body, body, pair.refresh_token + "=", "thr_\ud800"):
        assert await turn(database, keyring, other) is None
    assert await turn(database, Keyring(b"another secret, as long as needed"), pair.refresh_token) is not None


async def test_only_digests_are_stored(database: Database, keyring: Keyring) -> None:
    pair = await first_pair(database, keyring)
    await turn(database, keyring, pair.refresh_token)
    async with database.read() as session:
        rows = [str(vars(row)) for row in await session.scalars(select(RefreshToken))]
    assert pair.refresh_token not in "".join(rows)
    assert tokens.digest(pair.refresh_token) in "".join(rows)

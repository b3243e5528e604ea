"""Signing in by name or address; an unknown user costs a full verification. (A26, A38)"""

import pytest

from app.accounts import service
from app.accounts.passwords import check_current, check_login
from app.db.session import Database
from app.errors import AppError
from app.security import hashing
from tests.factories.accounts import PASSWORD, registered


async def refusal(database: Database, login: str, password: str) -> tuple[str, str, str]:
    with pytest.raises(AppError) as refused:
        await check_login(database, login, password)
    return refused.value.kind, refused.value.code, refused.value.detail


@pytest.mark.parametrize("login", ["alice", "ALICE", " alice ", "ａｌｉｃｅ", "alice@example.org", "Alice@Example.ORG"])
async def test_name_and_address_in_any_spelling_lead_to_the_same_user(database: Database, login: str) -> None:
    alice = await registered(database, "alice")
    assert (await check_login(database, login, PASSWORD)).id == alice.id


async def test_A26_all_refusals_are_alike_and_cost_one_verification_each(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await registered(database, "dana")
    alice = await registered(database, "alice")
    async with database.transaction() as session:
        await service.update_user(session, alice.id, {"disabled": True})
    seen: list[str] = []
    real = hashing._matches

    def counted(stored: str, secret: bytes) -> bool:
        seen.append(stored)
        return real(stored, secret)

    monkeypatch.setattr(hashing, "_matches", counted)
    answers = [
        await refusal(database, "dana", "a wrong password"),
        await refusal(database, "nobody", PASSWORD),
        await refusal(database, "", ""),
        await refusal(database, "alice", PASSWORD),  # disabled
        await refusal(database, "dana' OR '1'='1", PASSWORD),
        await refusal(database, "%", PASSWORD),
        await refusal(database, "dana\0", PASSWORD),
    ]
    assert len(set(answers)) == 1
    assert answers[0][:2] == ("unauthenticated", "wrong_credentials")
    assert len(seen) == len(answers)


async def test_only_the_right_current_password_is_confirmed(database: Database) -> None:
    alice = await registered(database, "alice")
    await check_current(database, alice.id, PASSWORD)
    for user_id, password in ((alice.id, "a wrong password"), ("nobody", PASSWORD)):
        with pytest.raises(AppError) as refused:
            await check_current(database, user_id, password)
        assert (refused.value.kind, refused.value.code) == ("forbidden", "wrong_password")

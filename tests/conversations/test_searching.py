"""Titles, found by their words."""

from typing import Any

import pytest

from app.accounts.principal import Principal
from app.clock import utcnow
from app.conversations.searching import search_conversations
from app.conversations.service import create_conversation
from app.db.session import Database

TITLES = ["Green tea at home", "Über grünen Tee", "关于绿茶的问题", "100% cocoa_powder", "[Brackets] and \\ slashes"]


async def titles(database: Database, principal: Principal, query: str) -> set[str]:
    async with database.read() as session:
        return {found.title for found in await search_conversations(session, principal, query)}


async def make(database: Database, principal: Principal, **more: Any) -> None:
    async with database.transaction() as session:
        for title in TITLES:
            conversation = await create_conversation(session, principal, title=title)
            for name, value in more.items():
                setattr(conversation, name, value)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("GREEN", {TITLES[0]}),
        ("home tea", {TITLES[0]}),
        ("über", {TITLES[1]}),
        ("ÜBER TEE", {TITLES[1]}),
        ("绿茶", {TITLES[2]}),
        ("%", {TITLES[3]}),
        ("_", {TITLES[3]}),
        ("0%", {TITLES[3]}),
        ("\\", {TITLES[4]}),
        ("[b", {TITLES[4]}),
        ("a", {TITLES[0], TITLES[3], TITLES[4]}),
        ("te", {TITLES[0], TITLES[1]}),
        ("green coffee", set()),
        ("'; DROP TABLE conversations; --", set()),
        ("   ", set()),
    ],
)
async def test_A60_every_word_must_be_there_in_whatever_case(
    database: Database, alice: Principal, query: str, expected: set[str]
) -> None:
    await make(database, alice)
    assert await titles(database, alice, query) == expected


async def test_A60_only_ones_own_that_are_there(database: Database, alice: Principal, bob: Principal) -> None:
    await make(database, bob)
    assert await titles(database, alice, "tea") == set()
    await make(database, alice, deleted_at=utcnow())
    assert await titles(database, alice, "tea") == set()
    await make(database, alice, archived=True)
    assert await titles(database, alice, "tea") == {TITLES[0]}

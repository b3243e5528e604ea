"""Titles, pages of the list, changes, and who may see what."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from app.accounts.principal import Principal
from app.conversations.deleting import delete_conversation
from app.conversations.models import Conversation
from app.conversations.service import (
    TITLE_LENGTH,
    After,
    create_conversation,
    get_conversation,
    list_conversations,
    title_from,
    update_conversation,
)
from app.db.session import Database
from app.errors import AppError, ErrorKind
from tests.conversations.trees import a_chain, add_message, message_id


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("How is tea made?", "How is tea made?"),
        ("\n\n  # A heading\nand more", "A heading"),
        ("> quoted\nanswer", "quoted"),
        ("- a list\n- of things", "a list"),
        ("tabs\tand   spaces", "tabs and spaces"),
        ("", ""),
        ("\n \n", ""),
        ("***\n\nbelow a rule", "below a rule"),
        ("a" * 81, "a" * 80 + "…"),
        ("word " * 30, ("word " * 16)[:-1] + "…"),
        ("茶" * 200, "茶" * 80 + "…"),
    ],
)
def test_a_title_is_the_first_line_cut_at_a_word(text: str, title: str) -> None:
    assert title_from(text) == title


@given(st.text(max_size=3000))
def test_any_text_gives_one_short_line(text: str) -> None:
    title = title_from(text)
    assert len(title) <= TITLE_LENGTH + 1
    assert len(title.splitlines()) <= 1
    assert title == title.strip()


async def test_pages_of_the_list_join_without_gap_or_repeat(database: Database, alice: Principal) -> None:
    """Also where many were used in the same instant."""
    moment = datetime(2026, 11, 24, tzinfo=UTC)
    async with database.transaction() as session:
        for number in range(25):
            conversation = await create_conversation(session, alice, title=f"{number}")
            conversation.updated_at = moment + timedelta(seconds=number // 10)
    seen: list[str] = []
    after: After | None = None
    async with database.read() as session:
        while page := await list_conversations(session, alice, after=after, limit=4):
            seen += [conversation.id for conversation in page]
            after = After(page[-1].updated_at, page[-1].id)
        whole = await list_conversations(session, alice, limit=500)
    assert len(seen) == len(set(seen)) == 25
    assert seen == [c.id for c in sorted(whole, key=lambda c: (c.updated_at, c.id), reverse=True)]


async def test_a_page_is_not_shaken_by_what_is_used_meanwhile(database: Database, alice: Principal) -> None:
    async with database.transaction() as session:
        for number in range(6):
            await create_conversation(session, alice, title=f"{number}")
    async with database.read() as session:
        first = await list_conversations(session, alice, limit=3)
    async with database.transaction() as session:
        await session.execute(
            update(Conversation)
            .where(Conversation.id == first[0].id)
            .values(updated_at=datetime(2099, 1, 1, tzinfo=UTC))
        )
    async with database.read() as session:
        rest = await list_conversations(session, alice, after=After(first[-1].updated_at, first[-1].id), limit=3)
    assert not {c.id for c in first} & {c.id for c in rest}
    assert len(rest) == 3


async def test_archived_ones_are_a_list_of_their_own(database: Database, alice: Principal) -> None:
    async with database.transaction() as session:
        kept = await create_conversation(session, alice, title="kept")
        away = await create_conversation(session, alice, title="away")
        await update_conversation(session, alice, away.id, {"archived": True})
    async with database.read() as session:
        assert [c.id for c in await list_conversations(session, alice)] == [kept.id]
        assert [c.id for c in await list_conversations(session, alice, archived=True)] == [away.id]


async def test_a_persons_title_is_marked_as_theirs(database: Database, alice: Principal) -> None:
    async with database.transaction() as session:
        conversation = await create_conversation(session, alice)
        assert conversation.title_origin == "text"
        changed = await update_conversation(session, alice, conversation.id, {"title": "Mine"})
        assert (changed.title, changed.title_origin) == ("Mine", "user")


async def test_choosing_a_message_goes_down_to_the_newest_leaf_below(database: Database, alice: Principal) -> None:
    conversation = await a_chain(database, alice, 4)
    await add_message(database, conversation, 10, 1)
    await add_message(database, conversation, 11, 10)
    async with database.transaction() as session:
        chosen = await update_conversation(session, alice, conversation.id, {"head_id": message_id(1)})
        assert chosen.head_id == message_id(11)
        chosen = await update_conversation(session, alice, conversation.id, {"head_id": message_id(2)})
        assert chosen.head_id == message_id(3)
        with pytest.raises(AppError) as unknown:
            await update_conversation(session, alice, conversation.id, {"head_id": message_id(99)})
    assert (unknown.value.kind, unknown.value.errors[0].pointer) == (ErrorKind.invalid, "/head_id")


async def test_a_stranger_can_neither_see_nor_change_nor_delete(
    database: Database, alice: Principal, bob: Principal
) -> None:
    conversation = await a_chain(database, alice, 2)
    async with database.transaction() as session:
        for refused in (
            get_conversation(session, bob, conversation.id),
            update_conversation(session, bob, conversation.id, {"title": "Bob's"}),
            delete_conversation(session, bob, conversation.id),
        ):
            with pytest.raises(AppError) as missing:
                await refused
            assert missing.value.kind is ErrorKind.not_found
        assert await list_conversations(session, bob) == []
    async with database.read() as session:
        assert (await get_conversation(session, alice, conversation.id)).title == "A long one"

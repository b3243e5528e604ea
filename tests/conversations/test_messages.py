"""The window of a branch, its siblings, and deleting."""

import pytest
from sqlalchemy import func, select, text

from app.accounts.principal import Principal
from app.conversations.messages import delete_branch, get_message, siblings_of, turns_to, window_of
from app.conversations.models import Conversation, Message
from app.conversations.service import get_conversation
from app.db.session import Database
from app.errors import AppError, ErrorKind
from tests.conversations.trees import a_chain, add_message, counting, message_id, reading


async def texts(
    database: Database, conversation: Conversation, before: str | None = None, limit: int = 50
) -> list[str]:
    async with reading(database, conversation.id) as (session, fresh):
        window = await window_of(session, fresh, before=before, limit=limit)
        return [message.content for message in window.messages]


async def delete(database: Database, principal: Principal, number: int) -> Conversation:
    async with database.transaction() as session:
        message = await get_message(session, principal, message_id(number))
        conversation = await get_conversation(session, principal, message.conversation_id)
        await delete_branch(session, conversation, message)
    return conversation


async def test_a_window_of_5000_messages_reads_only_itself(database: Database, alice: Principal) -> None:
    conversation = await a_chain(database, alice, 5000)
    async with reading(database, conversation.id) as (session, fresh):
        with counting(database) as counted:
            window = await window_of(session, fresh, limit=50)
    assert [message.id for message in window.messages] == [message_id(n) for n in range(4950, 5000)]
    assert len(counted.statements) == 2  # its messages, their siblings: never one per message
    assert counted.rows <= 2 * 50


async def test_the_windows_of_a_conversation_join_without_gap_or_repeat(database: Database, alice: Principal) -> None:
    conversation = await a_chain(database, alice, 23)
    seen: list[str] = []
    before: str | None = None
    async with reading(database, conversation.id) as (session, fresh):
        for _ in range(10):
            window = await window_of(session, fresh, before=before, limit=5)
            seen = [*(message.id for message in window.messages), *seen]
            before = window.before
            if before is None:
                break
    assert seen == [message_id(n) for n in range(23)]


async def test_an_empty_conversation_has_an_empty_window(database: Database, alice: Principal) -> None:
    assert await texts(database, await a_chain(database, alice, 0)) == []


async def test_before_a_message_of_another_conversation_there_is_nothing(database: Database, alice: Principal) -> None:
    await a_chain(database, alice, 5)
    async with database.transaction() as session:
        other = Conversation(user_id=alice.user_id)
        session.add(other)
    await add_message(database, other, 100, None)
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE conversations SET head_id = :h WHERE id = :i"), {"h": message_id(100), "i": other.id}
        )
    assert await texts(database, other) == ["text 100"]
    assert await texts(database, other, before=message_id(4)) == []


async def test_siblings_are_given_oldest_first(database: Database, alice: Principal) -> None:
    conversation = await a_chain(database, alice, 4)
    await add_message(database, conversation, 9, 2, role="assistant")
    await add_message(database, conversation, 8, None)
    async with reading(database, conversation.id) as (session, fresh):
        window = await window_of(session, fresh)
        first, last = window.messages[0], window.messages[-1]
        assert window.siblings_of(first) == [message_id(0), message_id(8)]
        assert window.siblings_of(last) == [message_id(3), message_id(9)]
        assert await siblings_of(session, last) == [message_id(3), message_id(9)]
        assert await siblings_of(session, first) == [message_id(0), message_id(8)]


async def test_turns_are_the_branch_without_answers_that_came_to_nothing(database: Database, alice: Principal) -> None:
    conversation = await a_chain(database, alice, 3)
    await add_message(database, conversation, 5, 2, role="assistant", content="")
    await add_message(database, conversation, 6, 5)
    turns = await turns_to(database.lookup, conversation.id, message_id(6))
    assert turns == [("user", "text 0"), ("assistant", "text 1"), ("user", "text 2"), ("user", "text 6")]


async def test_a_stranger_finds_no_message(database: Database, alice: Principal, bob: Principal) -> None:
    await a_chain(database, alice, 1)
    async with database.read() as session:
        assert (await get_message(session, alice, message_id(0))).content == "text 0"
        with pytest.raises(AppError) as missing:
            await get_message(session, bob, message_id(0))
        with pytest.raises(AppError) as never:
            await get_message(session, alice, message_id(99))
    assert missing.value.kind is ErrorKind.not_found
    assert (missing.value.code, missing.value.detail) == (never.value.code, never.value.detail)


async def test_a_branch_of_5000_is_deleted_whole(database: Database, alice: Principal) -> None:
    await a_chain(database, alice, 5002)
    conversation = await delete(database, alice, 2)
    assert conversation.head_id == message_id(1)
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Message)) == 2


async def test_deleting_moves_the_view_to_the_newest_leaf_beside(database: Database, alice: Principal) -> None:
    conversation = await a_chain(database, alice, 4)
    await add_message(database, conversation, 10, 1)
    await add_message(database, conversation, 11, 10, role="assistant")
    assert (await delete(database, alice, 2)).head_id == message_id(11)
    assert await texts(database, conversation) == ["text 0", "text 1", "text 10", "text 11"]


async def test_deleting_out_of_view_leaves_the_view(database: Database, alice: Principal) -> None:
    conversation = await a_chain(database, alice, 4)
    await add_message(database, conversation, 10, 1)
    assert (await delete(database, alice, 10)).head_id == message_id(3)


async def test_deleting_the_only_root_leaves_an_empty_conversation(database: Database, alice: Principal) -> None:
    conversation = await a_chain(database, alice, 4)
    assert (await delete(database, alice, 0)).head_id is None
    assert await texts(database, conversation) == []

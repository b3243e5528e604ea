"""Deleted: not there, for a while not lost, in the end gone."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.accounts.principal import Principal
from app.clock import utcnow
from app.conversations.deleting import UNDO, delete_conversation, get_deleted, purge_deleted, restore_conversation
from app.conversations.messages import get_message
from app.conversations.models import Conversation
from app.conversations.searching import search_conversations
from app.conversations.service import get_conversation, list_conversations
from app.db.session import Database
from app.errors import AppError
from tests.conversations.trees import a_chain, message_id


async def deleted(database: Database, principal: Principal, length: int = 3) -> Conversation:
    conversation = await a_chain(database, principal, length)
    async with database.transaction() as session:
        await delete_conversation(session, principal, conversation.id)
    return conversation


def purge(database: Database) -> None:
    connection = database.connect(write=True)
    purge_deleted(connection)
    connection.close()


async def long_ago(database: Database, conversation: Conversation) -> None:
    async with database.transaction() as session:
        past = utcnow() - UNDO - timedelta(seconds=1)
        await session.execute(update(Conversation).where(Conversation.id == conversation.id).values(deleted_at=past))


async def test_what_is_deleted_is_not_there(database: Database, alice: Principal) -> None:
    conversation = await deleted(database, alice)
    async with database.read() as session:
        for look in (
            get_conversation(session, alice, conversation.id),
            get_message(session, alice, message_id(0)),
            delete_conversation(session, alice, conversation.id),
        ):
            with pytest.raises(AppError, match="nothing here"):
                await look
        assert await list_conversations(session, alice) == []
        assert await search_conversations(session, alice, "long") == []


async def test_it_comes_back_as_it_was(database: Database, alice: Principal) -> None:
    conversation = await deleted(database, alice)
    async with database.transaction() as session:
        await restore_conversation(session, alice, conversation.id)
    async with database.read() as session:
        back = await get_conversation(session, alice, conversation.id)
        assert (back.title, back.updated_at) == (conversation.title, conversation.updated_at)
        assert (await get_message(session, alice, message_id(2))).content == "text 2"
        with pytest.raises(AppError):
            await get_deleted(session, alice, conversation.id)


async def test_only_its_owner_restores_it_and_only_in_time(
    database: Database, alice: Principal, bob: Principal
) -> None:
    conversation = await deleted(database, alice)
    async with database.transaction() as session:
        with pytest.raises(AppError):
            await restore_conversation(session, bob, conversation.id)
    await long_ago(database, conversation)
    async with database.transaction() as session:
        with pytest.raises(AppError):
            await restore_conversation(session, alice, conversation.id)


async def test_the_purge_takes_the_messages_along_but_nothing_too_early(database: Database, alice: Principal) -> None:
    conversation = await deleted(database, alice)
    purge(database)
    assert len(await database.lookup.all("SELECT * FROM messages", {})) == 3
    await long_ago(database, conversation)
    purge(database)
    assert await database.lookup.all("SELECT * FROM messages", {}) == []
    assert await database.lookup.all("SELECT * FROM conversations", {}) == []

"""Conversations written straight into the database."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from sqlalchemy import event, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.principal import Principal
from app.conversations.models import Conversation, Message
from app.conversations.service import create_conversation
from app.db.session import Database

CHUNK = 500


def message_id(number: int) -> str:
    """Ids that sort by number."""
    return f"00000000-0000-7000-8000-{number:012}"


async def a_chain(database: Database, principal: Principal, length: int) -> Conversation:
    """Questions and answers in turn, each below the one before; the last is in view."""
    async with database.transaction() as session:
        conversation = await create_conversation(session, principal, title="A long one")
        rows = [
            {
                "id": message_id(number),
                "conversation_id": conversation.id,
                "parent_id": message_id(number - 1) if number else None,
                "role": "assistant" if number % 2 else "user",
                "content": f"text {number}",
            }
            for number in range(length)
        ]
        for start in range(0, length, CHUNK):
            await session.execute(insert(Message), rows[start : start + CHUNK])
        conversation.head_id = message_id(length - 1) if length else None
    return conversation


async def add_message(
    database: Database, conversation: Conversation, number: int, parent: int | None, **columns: Any
) -> str:
    async with database.transaction() as session:
        session.add(
            Message(
                id=message_id(number),
                conversation_id=conversation.id,
                parent_id=None if parent is None else message_id(parent),
                **{"role": "user", "content": f"text {number}", **columns},
            )
        )
    return message_id(number)


class Counted:
    """How many statements were asked, and how many rows they gave."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.rows = 0


@contextmanager
def counting(database: Database) -> Iterator[Counted]:
    """What goes through the readers meanwhile; a cost that does not depend on the machine."""
    counted = Counted()

    def after(_c: object, cursor: Any, statement: str, *_: object) -> None:
        if statement != "BEGIN":
            counted.statements.append(statement)
            counted.rows += len(cursor._rows)

    event.listen(database.reader.sync_engine, "after_cursor_execute", after)
    try:
        yield counted
    finally:
        event.remove(database.reader.sync_engine, "after_cursor_execute", after)


@asynccontextmanager
async def reading(database: Database, conversation_id: str) -> AsyncIterator[tuple[AsyncSession, Conversation]]:
    async with database.read() as session:
        conversation = await session.get(Conversation, conversation_id)
        assert conversation is not None
        yield session, conversation

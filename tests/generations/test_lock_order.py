"""Whoever adds to a conversation, and whoever ends something of it, takes its locks in one order."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.accounts.principal import Principal
from app.db.session import Database
from app.generations.titles import _write_title
from app.jobs.lease import sequence
from tests.generations.asking import MakeSettings, new_talk
from tests.process import running

pytestmark = pytest.mark.postgresql


@contextmanager
def sequence_of(database: Database, conversation_id: str) -> Iterator[None]:
    """As whoever ends an answer of that conversation holds it."""
    holder = database.connect(write=True)
    holder.execute("BEGIN")
    holder.hold(sequence(conversation_id))
    try:
        yield
    finally:
        holder.execute("ROLLBACK")
        holder.close()


def is_free(database: Database, conversation_id: str) -> bool:
    """Whether nobody holds the conversation's row."""
    connection = database.connect(write=True)
    try:
        connection.execute("BEGIN")
        found = connection.execute(
            "SELECT id FROM conversations WHERE id = ? FOR UPDATE SKIP LOCKED", (conversation_id,)
        ).fetchone()
        connection.execute("ROLLBACK")
        return found is not None
    finally:
        connection.close()


async def test_a_message_holds_no_row_while_it_waits_for_the_end_of_another(
    make_settings: MakeSettings, alice: Principal
) -> None:
    async with running(make_settings()) as process:
        talk = await new_talk(process, alice)
        with sequence_of(process.database, talk.conversation_id):
            sending = asyncio.create_task(talk.send("tea [[tokens=2]]"))
            await asyncio.sleep(0.5)
            assert not sending.done()
            assert await asyncio.to_thread(is_free, process.database, talk.conversation_id)
        await talk.ended(await sending)


async def test_a_title_holds_no_row_either(make_settings: MakeSettings, alice: Principal) -> None:
    async with running(make_settings()) as process:
        talk = await new_talk(process, alice)
        connection = process.database.connect(write=True)
        write = _write_title(talk.conversation_id, "Tea")

        def commit() -> None:
            connection.execute("BEGIN")
            write(connection)
            connection.execute("COMMIT")

        with sequence_of(process.database, talk.conversation_id):
            thread = threading.Thread(target=commit)
            thread.start()
            await asyncio.sleep(0.3)
            assert thread.is_alive()
            assert await asyncio.to_thread(is_free, process.database, talk.conversation_id)
        await asyncio.to_thread(thread.join)
        connection.close()

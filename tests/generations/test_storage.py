"""Bytes a user keeps: counted from what is there, refused before anything is made, freed by deleting. (A62)"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from app.accounts.principal import Principal
from app.conversations.storage import EXPECTED_BYTES, MEGABYTE, Storage, storage_of
from app.db.session import Database
from app.errors import AppError, ErrorKind
from tests.generations.asking import MakeSettings, Talk, new_talk, row_counts
from tests.process import Process, running

LONG = "茶" * 99_990  # 300 kB: a limit in characters would let three times as much through
BRIEF = " [[tokens=5]]"


async def storage(database: Database, user: Principal, megabytes: int = 1) -> Storage:
    async with database.read() as session:
        return await storage_of(session, user.user_id, megabytes)


async def kept(database: Database) -> int:
    """What all messages come to, counted by Python."""
    rows = await database.lookup.all("SELECT content, thinking, superseded FROM messages", {})
    return sum(len(str(text).encode()) for row in rows for text in row)


async def test_what_is_counted_is_what_is_there(make_settings: MakeSettings, alice: Principal) -> None:
    async with running(make_settings()) as process:
        talk = await new_talk(process, alice)
        sent = await talk.send("茶 [[tokens=20 rate=50 think=5]]")
        under_way = await storage(process.database, alice, 0)
        assert (under_way.reserved, under_way.limit) == (EXPECTED_BYTES, 0)
        await talk.ended(sent)
        ended = await storage(process.database, alice, 0)
        assert ended == Storage(await kept(process.database), 0, 0)
        assert ended.used > under_way.used


async def test_A62_over_it_is_a_429_and_nothing_is_made_and_deleting_makes_room(
    make_settings: MakeSettings, alice: Principal, bob: Principal
) -> None:
    async with running(make_settings(max_storage_per_user=1)) as process:
        full, other = await new_talk(process, alice), await new_talk(process, alice)
        for _ in range(3):
            await full.ask(LONG + BRIEF)
        sent = await other.send("tea")
        answer = await other.ended(sent)
        made = await row_counts(process.database)
        room = MEGABYTE - (await storage(process.database, alice)).used
        longer = "x" * (room - EXPECTED_BYTES + 1)
        for refused in verbs(process, alice, other, longer, sent.user_message.id):
            with pytest.raises(AppError) as error:
                await refused()
            assert (error.value.kind, error.value.code) == (ErrorKind.rate_limited, "storage_used_up")
        assert await row_counts(process.database) == made
        await (await new_talk(process, bob)).send(LONG)  # his own are his own
        assert (await other.ask("x" * 10)).status == "complete"  # what fits still goes
        await process.endings.delete_conversation(alice, full.conversation_id)
        assert (await storage(process.database, alice)).used < room
        await process.generations.regenerate(alice, answer.id)
        await other.ask(longer)


def verbs(
    process: Process, user: Principal, talk: Talk, content: str, question_id: str
) -> list[Callable[[], Awaitable[object]]]:
    generations = process.generations
    return [
        lambda: generations.send_message(user, talk.conversation_id, content=content),
        lambda: generations.edit(user, question_id, content=content),
    ]


async def test_A62_an_answer_that_has_no_room_is_not_begun(make_settings: MakeSettings, alice: Principal) -> None:
    """Also where nothing new is asked: another answer, and the rest of one that was stopped."""
    async with running(make_settings(max_storage_per_user=1)) as process:
        talk = await new_talk(process, alice)
        for _ in range(3):
            await talk.ask(LONG + BRIEF)
        sent = await talk.send("tea [[tokens=endless rate=20]]")
        await talk.writing(sent.job.id)
        await process.endings.cancel(alice, sent.job.id)
        answer = await talk.ended(sent)
        room = MEGABYTE - (await storage(process.database, alice)).used
        await talk.ask("x" * (room - EXPECTED_BYTES - len(BRIEF) - 4) + BRIEF)
        made = await row_counts(process.database)
        for refused in (process.generations.regenerate, process.generations.continue_answer):
            with pytest.raises(AppError) as error:
                await refused(alice, answer.id)
            assert error.value.code == "storage_used_up"
        assert await row_counts(process.database) == made
        async with process.database.read() as session:
            assert (await session.get(type(answer), answer.id)).status == "stopped"  # type: ignore[union-attr]


async def test_A62_of_many_at_once_no_more_pass_than_there_is_room(
    make_settings: MakeSettings, alice: Principal
) -> None:
    async with running(make_settings(max_storage_per_user=1)) as process:
        talks = [await new_talk(process, alice) for _ in range(8)]
        sent = await asyncio.gather(*(talk.send(LONG + BRIEF) for talk in talks), return_exceptions=True)
        assert sum(not isinstance(one, BaseException) for one in sent) == 3
        assert {one.code for one in sent if isinstance(one, AppError)} == {"storage_used_up"}

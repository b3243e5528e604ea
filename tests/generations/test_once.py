"""Idempotency keys through the verb."""

import asyncio

import pytest

from app.accounts.principal import Principal
from app.errors import AppError
from app.generations.service import Once, Replayed
from app.jobs.models import Job
from tests.generations.asking import MakeSettings, Talk, new_talk, row_counts
from tests.model_server import ModelServer
from tests.process import Process, running


def once_of(key: str = "k", fingerprint: str = "f") -> Once:
    return Once(key, fingerprint, lambda made: made.job.id)


async def test_the_same_key_replays(talk: Talk, server: ModelServer) -> None:
    first = await talk.send("one", once=once_of())
    before = await row_counts(talk.database)
    again = await talk.process.generations.send_message(
        talk.principal, talk.conversation_id, content="one", once=once_of()
    )
    assert again == Replayed(first.job.id, first.job.id)
    await talk.ended(first)
    assert (await row_counts(talk.database))["messages"] == before["messages"]
    assert len(server.chats) == 1


async def test_the_same_key_for_something_else_is_refused(talk: Talk) -> None:
    await talk.ended(await talk.send("one", once=once_of()))
    before = await row_counts(talk.database)
    with pytest.raises(AppError) as refused:
        await talk.send("two", once=once_of(fingerprint="other"))
    assert refused.value.code == "idempotency_mismatch"
    assert await row_counts(talk.database) == before


async def test_a_replay_is_not_refused_by_a_limit(make_settings: MakeSettings, alice: Principal) -> None:
    async with running(make_settings(max_queued=1, max_running_per_user=1)) as process:
        talk = await new_talk(process, alice)
        first = await talk.send("one [[tokens=endless rate=50]]")
        await talk.running(first.job.id)
        second = await talk.send("two", once=once_of())
        replayed = await process.generations.send_message(alice, talk.conversation_id, content="two", once=once_of())
        assert replayed == Replayed(second.job.id, second.job.id)
        await process.endings.cancel_all(alice.user_id)


async def test_F31_twenty_racing_with_one_key_make_one_job(talk: Talk, server: ModelServer) -> None:
    send = talk.process.generations.send_message
    answers = await asyncio.gather(
        *(send(talk.principal, talk.conversation_id, content="one", once=once_of()) for _ in range(20))
    )
    ids = {answer.job_id if isinstance(answer, Replayed) else answer.job.id for answer in answers}
    assert len(ids) == 1
    assert sum(not isinstance(answer, Replayed) for answer in answers) == 1
    async with talk.database.read() as session:
        assert await session.get(Job, ids.pop()) is not None
    assert (await row_counts(talk.database))["jobs"] == 1


async def test_another_users_key_is_another_key(talk: Talk, process: Process, bob: Principal) -> None:
    first = await talk.send("one", once=once_of())
    other = await (await new_talk(process, bob)).send("one", once=once_of())
    assert first.job.id != other.job.id
    await talk.ended(first)
    await talk.ended(other)

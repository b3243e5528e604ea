"""A title from the model, when the queue is idle, unless a person chose one."""

from typing import Any

import pytest

from app.accounts.principal import Principal
from app.conversations.models import Conversation
from app.conversations.service import TITLE_LENGTH, update_conversation
from app.generations import titles
from app.jobs.backlog import backlog, families
from app.jobs.lease import Connection
from tests.generations.asking import MakeSettings, Talk, new_talk, words
from tests.jobs.waiting import ended, until
from tests.model_server import ModelServer
from tests.process import Process, running

_TITLES = "SELECT id, status FROM jobs WHERE kind = 'title' AND conversation_id = :id"


async def title_of(talk: Talk) -> tuple[str, str]:
    async with talk.database.read() as session:
        conversation = await session.get(Conversation, talk.conversation_id)
        assert conversation is not None
        return conversation.title, conversation.title_origin


async def title_jobs(talk: Talk) -> list[str]:
    return [row[0] for row in await talk.database.lookup.all(_TITLES, {"id": talk.conversation_id})]


async def test_the_first_answer_brings_a_title(process: Process, alice: Principal, server: ModelServer) -> None:
    talk = await new_talk(process, alice, title="")
    sent = await talk.send("# What is *tea*?\nand more")
    assert await title_of(talk) == ("What is *tea*?", "text")  # at once, from the text itself
    answer = await talk.ended(sent)
    (job_id,) = await until(lambda: title_jobs(talk))
    assert await ended(talk.database, job_id) == "succeeded"
    title, origin = await title_of(talk)
    assert origin == "model"
    assert words(titles.ASK).startswith(title.rstrip("…"))
    asked = server.chats[-1].json
    texts = [message["content"] for message in asked["messages"]]
    assert texts == ["# What is *tea*?\nand more", answer.content, titles.ASK]
    assert asked["options"]["num_predict"] == titles.OPTIONS.max_tokens


async def test_the_second_answer_brings_none(process: Process, alice: Principal) -> None:
    talk = await new_talk(process, alice, title="")
    await talk.ask("one")
    await talk.ask("two")
    assert len(await title_jobs(talk)) == 1


async def test_a_persons_title_stays(talk: Talk) -> None:
    await talk.ask("one")
    assert await title_jobs(talk) == []
    assert await title_of(talk) == ("A talk", "user")


async def test_a_title_that_a_person_chose_meanwhile_stays(process: Process, alice: Principal) -> None:
    talk = await new_talk(process, alice, title="")
    sent = await talk.send("one [[tokens=20 rate=100]]")
    async with process.database.transaction() as session:
        await update_conversation(session, alice, talk.conversation_id, {"title": "Mine"})
    await talk.ended(sent)
    for job_id in await title_jobs(talk):
        await ended(process.database, job_id)
    assert await title_of(talk) == ("Mine", "user")


async def test_a_failure_is_told_to_nobody(process: Process, alice: Principal, monkeypatch: Any) -> None:
    monkeypatch.setattr(titles, "ASK", "title [[fault=status:400]]")
    talk = await new_talk(process, alice, title="")
    await talk.ask("one")
    (job_id,) = await until(lambda: title_jobs(talk))
    assert await ended(talk.database, job_id) == "succeeded"
    assert await title_of(talk) == ("one", "text")


@pytest.mark.parametrize("fault", ["endless_after:0", "thinks_after:0", "newlines_after:0:400000000"])
async def test_one_without_an_end_is_left_as_soon_as_there_is_enough(
    fault: str, process: Process, alice: Principal, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(titles, "ASK", f"title [[tokens=1 fault={fault}]]")
    talk = await new_talk(process, alice, title="")
    await talk.ask("one")
    (job_id,) = await until(lambda: title_jobs(talk))
    assert await ended(talk.database, job_id) == "succeeded"
    await until(lambda: server.chats[-1].disconnected)
    title, origin = await title_of(talk)
    if fault.startswith("endless"):
        assert title.startswith("and so on and so on")
        assert len(title) <= TITLE_LENGTH + 1
    else:
        assert (title, origin) == ("one", "text")


async def test_a_paid_server_is_not_asked_for_one(openai: MakeSettings, alice: Principal, server: ModelServer) -> None:
    async with running(openai(openai_paid="yes")) as process:
        talk = await new_talk(process, alice, title="")
        await talk.ask("one")
        assert await title_jobs(talk) == []


async def test_a_conversation_deleted_before_its_title_is_no_trouble(process: Process, alice: Principal) -> None:
    talk = await new_talk(process, alice, title="")
    sent = await talk.send("one [[tokens=10 rate=200]]")
    await talk.ended(sent)
    await process.endings.delete_conversation(alice, talk.conversation_id)
    await until(lambda: process.engine.worker.running == 0)
    assert list(process.engine.log.leases) == []


async def test_a_title_that_found_no_quiet_moment_ends_by_itself(make_settings: MakeSettings, alice: Principal) -> None:
    """It raises no alarm meanwhile: nobody waits for it."""
    async with running(make_settings(model_slots=2)) as process:
        busy, talk = await new_talk(process, alice), await new_talk(process, alice, title="")
        await busy.writing((await busy.send("on and on [[tokens=endless rate=20]]")).job.id)
        await talk.ask("What is tea? [[tokens=3]]")
        (job_id,) = await until(lambda: title_jobs(talk))
        assert (await talk.job(job_id)).status == "queued"

        def age(connection: Connection) -> None:
            old = "2020-01-01T00:00:00.000000Z"
            connection.execute("UPDATE jobs SET created_at = ?, run_after = ? WHERE id = ?", (old, old, job_id))

        await process.engine.log.run(age)
        ages = {name: rows for name, _, _, rows in families(await backlog(process.database.lookup))}
        assert ages["queue_age_seconds"] == [((), 0.0)]
        await ended(process.database, job_id, 10)
        assert (await talk.job(job_id)).status == "cancelled"
        assert (await title_of(talk))[1] == "text"

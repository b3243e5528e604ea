"""The engine, the event log and the store do the same in every configuration. (I1–I6, F31)"""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from app.accounts.principal import Principal
from app.cli import examining_data
from app.clock import monotonic
from app.conversations.searching import search_conversations
from app.conversations.service import create_conversation, list_conversations
from app.errors import AppError
from app.generations.service import Once, Replayed
from app.ids import new_id
from app.settings import Settings
from tests.conformance.configurations import Site, worker_on
from tests.databases import plain_connection
from tests.factories.people import add_person
from tests.generations.asking import Talk, new_talk, words
from tests.generations.watching import frames_from, restless
from tests.jobs.history import Op, check
from tests.jobs.rows import broken_invariants
from tests.jobs.waiting import until
from tests.process import running
from tests.redis import RedisServer, redis_server

SLOW = "hello [[tokens=40 rate=100]]"


@pytest.fixture
async def talk(site: Site, alice: Principal) -> Talk:
    return await new_talk(site.web, alice)


def broken(site: Site) -> list[str]:
    connection = plain_connection(site.settings)
    try:
        return broken_invariants(connection)
    finally:
        connection.close()


async def test_I2_answers_end_once_and_whole(site: Site, talk: Talk) -> None:
    """Twenty conversations at once, each with a second message behind the first."""
    talks = [talk, *[await new_talk(site.web, talk.principal) for _ in range(19)]]
    sent = [(one, number, await one.send(f"question {number}")) for number in range(2) for one in talks]
    for one, number, accepted in sent:
        answer = await one.ended(accepted, 30)
        assert (answer.status, answer.content) == ("complete", words(f"question {number}"))
        job = await one.job(accepted.job.id)
        assert (job.status, job.attempt, job.crashes) == ("succeeded", 1, 0)
    assert len(site.model.chats) == 40
    assert broken(site) == []


async def test_I5_viewers_on_two_processes_see_no_gap_and_no_repeat(site: Site, talk: Talk) -> None:
    sent = await talk.send(SLOW)
    history: list[Op] = []
    async with running(site.settings) as other:
        elsewhere = talk.elsewhere(other)
        places = enumerate([talk, elsewhere] * 5)
        viewers = [restless(at, f"{n}", sent.job.id, random.Random(n), history) for n, at in places]
        await asyncio.wait_for(asyncio.gather(*viewers), 30)
        log = await talk.events(sent.job.id)
        assert check(history, log, (await talk.ended(sent)).content) == []
        for after in (0, log[len(log) // 2][0], log[-1][0]):
            seen = [frame.id for frame in await frames_from(elsewhere, sent.job.id, after)]
            assert seen == [seq for seq, _, _ in log if seq > after] or (after, seen) == (log[-1][0], [log[-1][0]])


async def test_a_cancel_reaches_the_runner_within_a_second(site: Site, talk: Talk) -> None:
    sent = await talk.send("endless [[tokens=endless rate=50]]")
    await talk.writing(sent.job.id, 20)
    began = monotonic()
    await site.web.endings.cancel(talk.principal, sent.job.id)
    answer = await talk.ended(sent, 5)
    assert monotonic() - began < 1
    assert (answer.status, answer.finish_reason) == ("stopped", "cancelled")
    assert answer.content
    await until(lambda: site.model.chats[0].disconnected)


async def test_F31_racing_with_one_key_makes_one_job(site: Site, talk: Talk) -> None:
    async def once() -> Any:
        key = Once("the key", "a fingerprint", lambda accepted: accepted.job.id)
        verb = site.web.generations.send_message
        return await verb(talk.principal, talk.conversation_id, content="only once", once=key)

    answers = await asyncio.gather(*[once() for _ in range(20)])
    ids = {a.job_id if isinstance(a, Replayed) else a.job.id for a in answers}
    assert len(ids) == 1
    assert sum(not isinstance(answer, Replayed) for answer in answers) == 1


async def test_a_conversation_that_is_deleted_takes_its_answer_along(site: Site, talk: Talk) -> None:
    sent = await talk.send("endless [[tokens=endless rate=50]]")
    await talk.writing(sent.job.id)
    await site.web.endings.delete_conversation(talk.principal, talk.conversation_id)
    assert (await talk.job(sent.job.id)).status == "cancelled"
    await until(lambda: site.model.chats[0].disconnected)
    with pytest.raises(AppError):
        await talk.send("into the void")


async def test_what_a_model_says_is_kept_whatever_it_is(site: Site, talk: Talk) -> None:
    for text in ("unicode", "blank"):
        prompt = f"say [[text={text} tokens=60]]"
        assert (await talk.ended(await talk.send(prompt), 30)).content == words(prompt)


async def test_lists_and_searches_have_one_order_everywhere(site: Site, alice: Principal) -> None:
    database = site.web.database
    bob = await add_person(database, f"bob-{new_id()}")
    titles = ["Straße nach Ωmega", "ΣΊΣΥΦΟΣ", "tea", "TEA house", "茶馆", "%_", "Éclair", "tea_house"]
    async with database.transaction() as session:
        for title in titles:
            await create_conversation(session, alice, title=title)
        await create_conversation(session, bob, title="tea of another")
    found = {"STRASSE": 1, "σίσυφος": 1, "tea": 3, "tea house": 2, "茶": 1, "%": 1, "_": 2, "éCLAIR": 1, "nothing": 0}
    async with database.read() as session:
        assert [c.title for c in await list_conversations(session, alice)] == titles[::-1]
        for query, count in found.items():
            assert len(await search_conversations(session, alice, query)) == count, query


async def test_doctor_knows_whether_workers_are_there(with_celery: Settings, redis: RedisServer) -> None:
    found = [finding async for finding in examining_data.redis(with_celery)]
    assert [(finding.code, finding.text) for finding in found] == [
        ("redis", "Redis answers"),
        ("workers", "1 workers answer"),
    ]
    with redis_server() as nobody:
        alone = with_celery.model_copy(update={"redis_url": nobody.url})
        found = [finding async for finding in examining_data.redis(alone)]
    assert [(finding.code, finding.level) for finding in found] == [("redis", "ok"), ("no_workers", "error")]


def test_a_worker_whose_password_redis_refuses_does_not_start(with_celery: Settings, tmp_path: Path) -> None:
    with redis_server() as closed:
        closed.command("CONFIG", "SET", "requirepass", "leaves")
        for url in (closed.url, closed.url.replace("://", "://:wrong@")):
            settings = with_celery.model_copy(update={"redis_url": url, "data_dir": tmp_path})
            with worker_on(settings) as worker:
                assert worker.process.wait(30) == 78

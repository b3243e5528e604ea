"""Messages under load while something is done to a machine, and whether everything is whole afterwards."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from app.errors import AppError
from app.generations.service import Accepted, Once
from app.ids import new_id
from app.settings import Settings
from tests.conformance.configurations import Worker
from tests.databases import plain_connection
from tests.effort import effort
from tests.factories.people import add_person
from tests.generations.asking import Talk, new_talk, words
from tests.jobs.rows import broken_invariants
from tests.postgres import Server
from tests.process import Process
from tests.redis import RedisServer

TALKS, CHANCE = effort(6, 10), random.Random(6)
PROMPT = "tell {number} [[tokens=60 rate=20]]"  # three seconds of text
Deed = Callable[[], object]
"""What is done to a machine; may block."""


@dataclass(slots=True)
class Machines:
    postgres: Server
    redis: RedisServer
    workers: list[Worker]
    settings: Settings


@dataclass(slots=True)
class Sent:
    talk: Talk
    number: int
    accepted: Accepted
    refusals: int = field(default=0)


async def talks(web: Process, count: int = TALKS) -> list[Talk]:
    principal = await add_person(web.database, f"alice-{new_id()}")
    return [await new_talk(web, principal) for _ in range(count)]


def key_of(talk: Talk) -> str:
    return f"key-{talk.conversation_id}"


async def send(talk: Talk, number: int) -> Sent:
    """As a client does: the same key again and again, until there is an answer."""
    made: list[Accepted] = []

    def present(accepted: Accepted) -> str:
        made.append(accepted)
        return accepted.job.id

    once = Once(key_of(talk), "one", present)
    for refusals in range(100):
        try:
            await talk.process.generations.send_message(
                talk.principal, talk.conversation_id, content=PROMPT.format(number=number), once=once
            )
        except AppError as error:
            if error.code != "database_unavailable":
                raise
            await asyncio.sleep(0.1)
        else:
            # After a replay, too: the commit whose answer was cut was the last one tried.
            return Sent(talk, number, made[-1], refusals)
    raise AssertionError("never accepted")


async def assert_all_whole(settings: Settings, sent: Sequence[Sent], seconds: float = 40) -> None:
    for one in sent:
        answer = await one.talk.ended(one.accepted, seconds)
        assert (answer.status, answer.content) == ("complete", words(PROMPT.format(number=one.number)))
    connection = plain_connection(settings)
    try:
        assert broken_invariants(connection) == []
        for one in sent:
            query = "SELECT count(*) FROM messages WHERE conversation_id = ?"
            assert connection.execute(query, (one.talk.conversation_id,)).fetchone()[0] == 2
    finally:
        connection.close()


async def under_load(web: Process, deeds: Sequence[Deed]) -> list[Sent]:
    """Messages every tenth of a second; between them the deeds, each in a thread, at random moments."""
    sent, waiting = [], list(deeds)
    moments = sorted(CHANCE.uniform(0, TALKS - 1) for _ in waiting)
    for number, talk in enumerate(await talks(web)):
        while moments and number >= moments[0]:
            moments.pop(0)
            await asyncio.to_thread(waiting.pop(0))
        sent.append(await send(talk, number))
        await asyncio.sleep(0.1)
    for rest in waiting:
        await asyncio.to_thread(rest)
    return sent

"""Ask, wait, look: what the tests of answers do all the time."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import orjson

from app.accounts.principal import Principal
from app.conversations.models import Message
from app.conversations.service import create_conversation
from app.db.base import Base
from app.db.session import Database
from app.generations.service import Accepted, Replayed
from app.jobs.models import Job
from app.settings import Settings
from tests.jobs import waiting
from tests.model_server import answer_for
from tests.process import Process

MakeSettings = Callable[..., Settings]
_EVENTS = "SELECT seq, event, data FROM job_events WHERE job_id = :id ORDER BY seq"


def accepted(answer: Accepted | Replayed) -> Accepted:
    assert isinstance(answer, Accepted)
    return answer


def words(prompt: str, tokens: int | None = None) -> str:
    """What the scripted server answers when nothing goes wrong."""
    return "".join(answer_for(prompt, tokens))


def error_of(message: Any) -> str:
    assert message.error is not None
    return str(message.error["code"])


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation of one person, in one process."""

    process: Process
    principal: Principal
    conversation_id: str

    @property
    def database(self) -> Database:
        return self.process.database

    def elsewhere(self, process: Process) -> "Talk":
        return replace(self, process=process)

    async def send(self, content: str, **more: Any) -> Accepted:
        verb = self.process.generations.send_message
        return accepted(await verb(self.principal, self.conversation_id, content=content, **more))

    async def job(self, job_id: str) -> Job:
        async with self.database.read() as session:
            job = await session.get(Job, job_id)
            assert job is not None
            return job

    async def message(self, message_id: str) -> Message:
        async with self.database.read() as session:
            message = await session.get(Message, message_id)
            assert message is not None
            return message

    async def ended(self, asked: Accepted, seconds: float = 10.0) -> Message:
        """The answer, once its job has ended."""
        await waiting.ended(self.database, asked.job.id, seconds)
        return await self.message(asked.assistant_message.id)

    async def ask(self, content: str, **more: Any) -> Message:
        return await self.ended(await self.send(content, **more))

    async def events(self, job_id: str) -> list[tuple[int, str, dict[str, Any]]]:
        rows = await self.database.lookup.all(_EVENTS, {"id": job_id})
        return [(seq, event, orjson.loads(data)) for seq, event, data in rows]

    async def kinds(self, job_id: str) -> list[str]:
        """Names of the events, neighbours once."""
        names = [event for _, event, _ in await self.events(job_id)]
        return [name for index, name in enumerate(names) if index == 0 or names[index - 1] != name]

    async def text(self, job_id: str) -> str:
        """What the log has of the answer now."""
        return "".join(data["text"] for _, event, data in await self.events(job_id) if event == "delta")

    async def writing(self, job_id: str, characters: int = 1) -> None:
        """Until so much of the answer is committed."""

        async def look() -> bool:
            return len(await self.text(job_id)) >= characters

        await waiting.until(look)

    async def running(self, job_id: str) -> None:
        async def look() -> bool:
            return (await self.job(job_id)).status == "running"

        await waiting.until(look)


async def new_talk(process: Process, principal: Principal, **columns: Any) -> Talk:
    async with process.database.transaction() as session:
        conversation = await create_conversation(session, principal, **{"title": "A talk", **columns})
    return Talk(process, principal, conversation.id)


async def row_counts(database: Database) -> dict[str, int]:
    """Of every table but the counted users, which maintenance tidies when it comes by."""
    names = Base.metadata.tables.keys() - {"waiting_users"}
    return {name: (await database.lookup.all(f"SELECT count(*) FROM {name}", {}))[0][0] for name in names}

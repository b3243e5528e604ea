"""What people put an end to: an answer that is being written, a message with what came of it, a conversation."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.principal import Principal
from app.conversations.deleting import delete_conversation
from app.conversations.messages import branch_of, delete_branch, get_message
from app.conversations.service import get_conversation
from app.db.session import Database, take_turns
from app.jobs import idempotency
from app.jobs.control import get_job
from app.jobs.engine import Engine
from app.jobs.models import Job
from app.jobs.states import TERMINAL


class Endings:
    """What is deleted is no longer written: its jobs are cancelled first."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database, self._engine = database, engine

    async def cancel(self, principal: Principal, job_id: str) -> Job:
        """Ask for the end of a job; the same for one that has ended."""
        async with self._database.read() as session:
            await get_job(session, principal.user_id, job_id)
        await self._engine.cancel(job_id)
        async with self._database.read() as session:
            return await get_job(session, principal.user_id, job_id)

    async def delete_message(self, principal: Principal, message_id: str) -> None:
        """With its branch below; what is still being written there is cancelled first."""
        async with self._database.read() as session:
            message = await get_message(session, principal, message_id)
            jobs = await _running_jobs(session, Job.message_id.in_(await branch_of(session, message)))
        for job_id in jobs:
            await self._engine.cancel_at_once(job_id)
        async with self._database.transaction() as session:
            await take_turns(session, principal.user_id)
            message = await get_message(session, principal, message_id)
            conversation = await get_conversation(session, principal, message.conversation_id)
            await delete_branch(session, conversation, message)

    async def delete_conversation(self, principal: Principal, conversation_id: str) -> None:
        async with self._database.read() as session:
            await get_conversation(session, principal, conversation_id)
            jobs = await _running_jobs(session, Job.conversation_id == conversation_id)
        for job_id in jobs:
            await self._engine.cancel_at_once(job_id)
        async with self._database.transaction() as session:
            await take_turns(session, principal.user_id)
            await idempotency.forget_conversation(session, conversation_id)
            await delete_conversation(session, principal, conversation_id)

    async def cancel_all(self, user_id: str) -> None:
        """What a disabled or deleted user has still running or waiting."""
        async with self._database.read() as session:
            jobs = await _running_jobs(session, Job.user_id == user_id)
        for job_id in jobs:
            await self._engine.cancel_at_once(job_id)


async def _running_jobs(session: AsyncSession, condition: Any) -> list[str]:
    query = select(Job.id).where(condition, Job.status.not_in(TERMINAL)).order_by(Job.id.desc())
    return list(await session.scalars(query))

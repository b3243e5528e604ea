"""A kind of job for tests of the machinery: it runs the coroutine that the test gave it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from app.jobs.lease import Connection, End
from app.jobs.registry import JobContext, Outcome
from app.jobs.states import JobStatus

Run = Callable[[JobContext], Awaitable[Outcome]]


async def _succeed(_: JobContext) -> Outcome:
    return End(JobStatus.succeeded)


async def for_ever(_: JobContext) -> Outcome:
    await asyncio.Event().wait()
    raise AssertionError("never reached")


class StubHandler:
    """`started` are contexts in order; `interruptions` and `abandonments` what was asked of it otherwise."""

    time_limit = 60.0

    def __init__(self) -> None:
        self.work: Run = _succeed
        self.started: list[JobContext] = []
        self.interruptions: list[str] = []
        self.abandonments: list[tuple[str, JobStatus, dict[str, Any] | None]] = []
        self.abandoning: Callable[[Connection], None] = lambda _: None

    async def run(self, context: JobContext) -> Outcome:
        self.started.append(context)
        return await self.work(context)

    def interrupted(self, context: JobContext, reason: str) -> End:
        self.interruptions.append(reason)
        return End(JobStatus.cancelled if reason == "cancel" else JobStatus.succeeded)

    def abandoned(self, connection: Connection, job_id: str, status: JobStatus, error: dict[str, Any] | None) -> None:
        self.abandonments.append((job_id, status, error))
        self.abandoning(connection)

"""The kinds of job that a model runs: an answer, a title."""

from typing import Any

from app.generations.loop import AnswerRun
from app.generations.writer import write_end, write_message
from app.jobs.event_log import CANCEL
from app.jobs.lease import Connection, End
from app.jobs.registry import JobContext, Outcome
from app.jobs.states import JobStatus


class AnswerHandler:
    """Writes one assistant message."""

    def __init__(self, time_limit: float) -> None:
        self.time_limit = time_limit

    async def run(self, context: JobContext) -> Outcome:
        return await AnswerRun(context).outcome()

    def interrupted(self, context: JobContext, reason: str) -> End:
        job_id = context.lease.id
        if reason == CANCEL:
            return End(JobStatus.cancelled, effects=[write_end(job_id, JobStatus.cancelled, None)])
        job = context.lease.job
        result = {"conversation_id": job.conversation_id, "message_id": job.message_id}
        effects = [write_message(job_id, status="stopped", finish_reason="limit")]
        return End(JobStatus.succeeded, result=result, effects=effects)

    def abandoned(self, connection: Connection, job_id: str, status: JobStatus, error: dict[str, Any] | None) -> None:
        write_end(job_id, status, error)(connection)

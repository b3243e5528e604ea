"""Run one leased job: time limit, cancellation, outcome; it ends once or goes back to the queue."""

import asyncio
import logging
from datetime import timedelta

from app.clock import utcnow
from app.errors import AppError
from app.jobs import lease as leases
from app.jobs.event_log import CANCEL, DRAIN, LOST, TIME_LIMIT, EventLog
from app.jobs.lease import End
from app.jobs.registry import Handler, JobContext, Retry, handler_of
from app.jobs.states import JobStatus

logger = logging.getLogger(__name__)

LATER = timedelta(seconds=1)  # the database is busy or full: no fault of the job


async def run_job(context: JobContext) -> None:
    """Never raises. Whatever happens the job is ended, released, or not ours any more."""
    lease = context.lease
    handler = handler_of(lease.job.kind)
    watchdog = asyncio.get_running_loop().call_later(handler.time_limit, lease.stop, TIME_LIMIT)
    try:
        outcome = await handler.run(context)
    except asyncio.CancelledError:
        lease.closing = True
        if (current := asyncio.current_task()) is not None:
            current.uncancel()
        await _stopped(context, handler)
    except AppError as busy:
        logger.warning("job %s waits: %s", lease.id, busy.detail)
        again = Retry(utcnow() + LATER, lease.job.failures, lease.job.failing_since, {"code": busy.code})
        await _give_back(context.log, context, again)
    except Exception:
        logger.exception("job %s failed unexpectedly", lease.id)
        error = {"code": "internal", "message": "Something went wrong inside Teahouse.", "retryable": True}
        await context.log.finish(lease, _failed(handler, lease.id, error))
    else:
        if isinstance(outcome, End):
            await context.log.finish(lease, outcome)
        else:
            await _give_back(context.log, context, outcome)
    finally:
        watchdog.cancel()
        context.log.forget(lease)


def _failed(handler: Handler, job_id: str, error: dict[str, object]) -> End:
    return End(
        JobStatus.failed,
        error=error,
        effects=[lambda connection: handler.abandoned(connection, job_id, JobStatus.failed, error)],
    )


async def _stopped(context: JobContext, handler: Handler) -> None:
    lease = context.lease
    if lease.stop_reason == LOST:
        return
    if lease.stop_reason in (CANCEL, TIME_LIMIT):
        await context.log.finish(lease, handler.interrupted(context, lease.stop_reason))
    else:
        lease.stop_reason = DRAIN
        await _give_back(context.log, context, None)


async def _give_back(log: EventLog, context: JobContext, retry: Retry | None) -> None:
    """Back to the queue. A drain burns no attempt: only failures and crashes are counted against a job."""
    lease = context.lease
    lease.closing = True
    if not await log.flush(lease):
        return
    if retry is None:
        job = lease.job
        released = await log.run(
            lambda c: leases.release(c, lease.id, lease.attempt, failures=job.failures, failing_since=job.failing_since)
        )
    else:
        released = await log.run(
            lambda c: leases.release(
                c,
                lease.id,
                lease.attempt,
                run_after=retry.run_after,
                failures=retry.failures,
                failing_since=retry.failing_since,
                error=retry.error,
            )
        )
    if released is not None:
        log.published(lease.id, [released[0]])

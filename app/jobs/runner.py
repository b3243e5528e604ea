"""Run one leased job: time limit, cancellation, outcome; it ends once or goes back to the queue."""

import asyncio
import logging
from datetime import timedelta

from app.clock import monotonic, utcnow
from app.errors import AppError
from app.jobs import lease as leases
from app.jobs.event_log import CANCEL, DRAIN, LOST, TIME_LIMIT
from app.jobs.lease import Connection, End, StoredEvent
from app.jobs.registry import Handler, JobContext, Retry, handler_of
from app.jobs.states import JobStatus
from app.observability import tracing
from app.observability.context import job_id
from app.observability.tracing import Attributes

logger = logging.getLogger(__name__)

LATER = timedelta(seconds=1)  # the database is busy or full: no fault of the job


async def run_job(context: JobContext) -> None:
    """Never raises. Whatever happens the job is ended, released, or not ours any more."""
    lease = context.lease
    job_id.set(lease.id)  # for the log; this task's own context ends with it
    lease.task = asyncio.current_task()
    job = lease.job
    about: Attributes = {"teahouse.job.id": job.id, "teahouse.job.attempt": job.attempt}
    with tracing.span(f"job {job.kind}", about, kind="consumer", parent=job.payload.get(tracing.TRACE, "")) as span:
        await _run_and_settle(context)
        span.tell({"teahouse.job.outcome": lease.end.status.value if lease.end else lease.stop_reason or "released"})
        if lease.end is not None and lease.end.error is not None:
            span.failed(lease.end.error["code"])


async def _run_and_settle(context: JobContext) -> None:
    lease = context.lease
    try:
        await _run(context, handler_of(lease.job.kind))
    except KeyError:
        error = {"code": "unknown_kind", "message": "This version does not know such jobs.", "retryable": False}
        await context.log.finish(lease, End(JobStatus.failed, error=error))
    except Exception:
        # The database took neither its end nor its return: maintenance does it when it can.
        logger.exception("job %s was left where it stood", lease.id)
    finally:
        context.log.forget(lease)


async def _run(context: JobContext, handler: Handler) -> None:
    lease = context.lease
    left = handler.time_limit - lease.spent.get("seconds", 0)  # the limit is for all attempts together
    watchdog = asyncio.get_running_loop().call_later(max(0, left), lease.stop, TIME_LIMIT)
    try:
        if lease.stop_reason is not None:  # stopped before its first step
            raise asyncio.CancelledError
        outcome = await handler.run(context)
    except asyncio.CancelledError:
        lease.closing = True
        if (current := asyncio.current_task()) is not None:
            current.uncancel()
        await _stopped(context, handler)
    except AppError as busy:
        logger.warning("job %s waits: %s", lease.id, busy.detail)
        again = Retry(utcnow() + LATER, lease.job.failures, lease.job.failing_since, {"code": busy.code})
        await _give_back(context, handler, again)
    except Exception:
        logger.exception("job %s failed unexpectedly", lease.id)
        error = {"code": "internal", "message": "Something went wrong inside Teahouse.", "retryable": True}
        await context.log.finish(lease, _failed(handler, lease.id, error))
    else:
        if isinstance(outcome, End):
            await context.log.finish(lease, outcome)
        else:
            await _give_back(context, handler, outcome)
    finally:
        watchdog.cancel()


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
        await _give_back(context, handler, None)


async def _give_back(context: JobContext, handler: Handler, retry: Retry | None) -> None:
    """Back to the queue. A drain burns no attempt: only failures and crashes are counted against a job.

    A cancel wins: who asked for it must not wait until the job is claimed again.
    """
    lease, log = context.lease, context.log
    lease.closing = True
    if not await log.flush(lease):
        return
    lease.spent["seconds"] = round(lease.spent.get("seconds", 0) + monotonic() - lease.began, 1)

    def step(connection: Connection) -> StoredEvent | None:
        if leases.cancel_requested(connection, lease.id):
            return None
        job = lease.job
        released = leases.release(
            connection,
            lease.id,
            lease.attempt,
            run_after=retry.run_after if retry else None,
            failures=retry.failures if retry else job.failures,
            failing_since=retry.failing_since if retry else job.failing_since,
            error=retry.error if retry else None,
            spent=lease.spent,
        )
        return released and released[0]

    released = await log.run(step)
    if released is not None:
        log.published(lease.id, [released])
    else:  # or the lease is lost, which this finds out
        await log.finish(lease, handler.interrupted(context, CANCEL))

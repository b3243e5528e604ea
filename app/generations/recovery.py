"""What follows a model server's failure: ask again, go on from the text that is there, or say that it failed."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.clock import utcnow
from app.jobs.lease import Claimed
from app.jobs.registry import Retry
from app.jobs.retry import delay
from app.providers.errors import FirstTokenTimeout, ProviderBusy, ProviderError, ProviderFailed, ProviderUnavailable

PAID_PATIENCE = 60.0
MAX_FAILURES = 3
MAX_BREAKS = 5  # of one answer, however much was written between them


@dataclass(frozen=True, slots=True)
class Failure:
    """The job ends; the text stays."""

    error: dict[str, Any]


def error_of(code: str, message: str, *, retryable: bool) -> dict[str, Any]:
    return {"code": code, "message": message, "retryable": retryable}


def after_failure(
    error: ProviderError,
    job: Claimed,
    *,
    paid: bool,
    text_shown: bool,
    progress: bool,
    breaks: int,
    patience: float,
) -> Retry | Failure:
    """`text_shown`: some of the answer is committed. `progress`: this very attempt brought some of it.

    `breaks`: how many of all attempts, with this one, ended in the middle of the answer.
    """
    description = error_of(error.code, error.message, retryable=not error.permanent)
    if error.permanent or error.is_far or breaks >= MAX_BREAKS:
        return Failure(description)
    if paid and (text_shown or error.began or isinstance(error, FirstTokenTimeout)):
        return Failure(error_of("interrupted", error.message, retryable=True))
    failures = 1 if progress else job.failures + 1
    now = utcnow()
    since = now if progress or job.failing_since is None else job.failing_since
    if isinstance(error, (ProviderFailed, FirstTokenTimeout)):
        given_up = failures > 1
    elif isinstance(error, (ProviderUnavailable, ProviderBusy)) and not paid:
        given_up = now - since > timedelta(seconds=patience)
    else:
        given_up = failures >= MAX_FAILURES or (paid and now - since > timedelta(seconds=PAID_PATIENCE))
    pause = error.retry_after if error.retry_after is not None else delay(failures - 1)
    # A server that names a time after our patience ends is not waited for.
    left = timedelta(seconds=PAID_PATIENCE if paid else patience) - (now - since)
    if given_up or (error.retry_after is not None and timedelta(seconds=pause) > left):
        return Failure(description)
    return Retry(now + timedelta(seconds=pause), failures, since, description)

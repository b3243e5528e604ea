"""The table of reliability.md 2.4, row by row, as a pure function."""

from datetime import timedelta
from typing import Any

import pytest

from app.clock import utcnow
from app.generations.recovery import Failure, after_failure
from app.jobs.lease import Claimed
from app.jobs.registry import Retry
from app.providers.errors import (
    ContextOverflow,
    CredentialsRefused,
    FirstTokenTimeout,
    ModelNotFound,
    ProviderBusy,
    ProviderCut,
    ProviderError,
    ProviderFailed,
    ProviderProtocolError,
    ProviderRejected,
    ProviderUnavailable,
    ProviderUnusable,
)

RETRY = "retry"
EARLY, SHOWN = {"text_shown": False, "progress": False}, {"text_shown": True, "progress": True}
STUCK = {"text_shown": True, "progress": False}


def outcome(
    error: ProviderError,
    *,
    paid: bool,
    failures: int = 0,
    since: float = 0,
    patience: float = 300,
    breaks: int = 0,
    **state: Any,
) -> Retry | Failure:
    failing_since = utcnow() - timedelta(seconds=since) if failures else None
    job = Claimed("j", "answer", failures + 1, "u", "c", "m", "ollama", {}, failures, failing_since, 1)
    return after_failure(error, job, paid=paid, patience=patience, breaks=breaks, **state)


def code(result: Retry | Failure) -> str:
    return RETRY if isinstance(result, Retry) else str(result.error["code"])


@pytest.mark.parametrize(
    ("error", "local_before", "local_after", "paid_before", "paid_after"),
    [
        (ProviderUnavailable("refused"), RETRY, RETRY, RETRY, "interrupted"),
        (ProviderBusy("429", retry_after=1), RETRY, RETRY, RETRY, "interrupted"),
        (FirstTokenTimeout("silent"), RETRY, RETRY, "interrupted", "interrupted"),
        (ProviderCut("cut", began=True), RETRY, RETRY, "interrupted", "interrupted"),
        (ProviderFailed("CUDA", began=True), RETRY, RETRY, "interrupted", "interrupted"),
        (ProviderProtocolError("html"), "protocol", "protocol", "protocol", "protocol"),
        (ProviderRejected("400"), "rejected", "rejected", "rejected", "rejected"),
        (ContextOverflow("long"), "context_overflow", "context_overflow", "context_overflow", "context_overflow"),
        (ProviderUnusable("libgomp"), "unusable", "unusable", "unusable", "unusable"),
        (CredentialsRefused("401"), "credentials", "credentials", "credentials", "credentials"),
        (ModelNotFound("404"), "model_not_found", "model_not_found", "model_not_found", "model_not_found"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ProviderError) else "",
)
def test_the_first_failure_of_each_name(
    error: ProviderError, local_before: str, local_after: str, paid_before: str, paid_after: str
) -> None:
    found = [code(outcome(error, paid=paid, **state)) for paid in (False, True) for state in (EARLY, SHOWN)]
    assert found == [local_before, local_after, paid_before, paid_after]


@pytest.mark.parametrize(
    ("error", "paid", "allowed"),
    [
        (ProviderCut("cut"), False, 2),
        (ProviderFailed("CUDA"), False, 1),
        (FirstTokenTimeout("silent"), False, 1),
        (ProviderUnavailable("503"), True, 2),
        (ProviderBusy("429"), True, 2),
        (ProviderUnavailable("refused"), False, 50),
    ],
)
def test_how_often_it_is_asked_again_without_progress(error: ProviderError, paid: bool, allowed: int) -> None:
    again = [code(outcome(error, paid=paid, failures=failures, since=1, **EARLY)) for failures in range(51)]
    assert again[:allowed] == [RETRY] * allowed
    if allowed < 50:
        assert RETRY not in again[allowed:]


def test_patience_is_counted_from_the_first_failure_in_a_row() -> None:
    away = ProviderUnavailable("refused")
    assert code(outcome(away, paid=False, failures=9, since=299, **EARLY)) == RETRY
    assert code(outcome(away, paid=False, failures=9, since=301, **EARLY)) == "unavailable"
    assert code(outcome(away, paid=True, failures=1, since=61, **EARLY)) == "unavailable"


def test_progress_starts_the_count_and_the_patience_anew() -> None:
    result = outcome(ProviderCut("cut"), paid=False, failures=2, since=1000, **SHOWN)
    assert isinstance(result, Retry)
    assert result.failures == 1
    assert result.failing_since is not None
    assert utcnow() - result.failing_since < timedelta(seconds=5)
    assert code(outcome(ProviderCut("cut"), paid=False, failures=2, since=1, **STUCK)) == "interrupted"


def test_breaks_are_counted_over_all_attempts() -> None:
    assert code(outcome(ProviderCut("cut"), paid=False, breaks=4, **SHOWN)) == RETRY
    assert code(outcome(ProviderCut("cut"), paid=False, breaks=5, **SHOWN)) == "interrupted"


@pytest.mark.parametrize(("retry_after", "low", "high"), [(0.0, 0, 0.1), (7.0, 6.9, 7.1), (None, 0.2, 0.8)])
def test_the_servers_own_pause_wins(retry_after: float | None, low: float, high: float) -> None:
    result = outcome(ProviderBusy("429", retry_after=retry_after), paid=False, **EARLY)
    assert isinstance(result, Retry)
    assert low <= (result.run_after - utcnow()).total_seconds() + 0.05 <= high + 0.05
    assert result.error == {"code": "busy", "message": "429", "retryable": True}


def test_only_what_may_help_has_a_button() -> None:
    gone = outcome(ProviderUnavailable("refused"), paid=False, failures=9, since=301, **EARLY)
    wrong = outcome(ProviderRejected("400"), paid=False, **EARLY)
    assert isinstance(gone, Failure)
    assert isinstance(wrong, Failure)
    assert (gone.error["retryable"], wrong.error["retryable"]) == (True, False)


@pytest.mark.parametrize(
    ("wait", "patience", "since", "expected"),
    [
        (300, 300, 0, RETRY),
        (301, 300, 0, "busy"),
        (301, 9000, 0, "busy"),
        (60, 300, 200, RETRY),
        (120, 300, 200, "busy"),
    ],
)
def test_F15_a_time_after_the_patience_is_not_waited_for(
    wait: float, patience: float, since: float, expected: str
) -> None:
    """`since`: how many seconds ago it failed for the first time; 0: just now."""
    error = ProviderBusy("429", retry_after=wait)
    failures = 1 if since else 0
    assert code(outcome(error, paid=False, failures=failures, since=since, patience=patience, **EARLY)) == expected

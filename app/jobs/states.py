"""The states of a job. Nothing leaves a terminal one; the database refuses it too."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.clock import rfc3339


class JobStatus(StrEnum):
    queued = "queued"
    running = "running"
    succeeded = "succeeded"
    failed = "failed"
    cancelled = "cancelled"

    @property
    def ended(self) -> bool:
        return self in TERMINAL


class Phase(StrEnum):
    """Where a run stands with its model server."""

    waiting = "waiting"  # the server is busy with other answers
    loading = "loading"  # of the model
    reading = "reading"  # of the prompt
    writing = "writing"


TERMINAL = frozenset({JobStatus.succeeded, JobStatus.failed, JobStatus.cancelled})


def status_data(status: JobStatus, attempt: int, position: int | None = None, **trouble: Any) -> dict[str, Any]:
    """The data of a `status` event."""
    return {"status": status, "attempt": attempt, "position": position, **trouble}


def standing(phase: str | None, since: datetime | None) -> dict[str, Any]:
    """What a running job says of where it stands, as far as that is known."""
    return {"phase": phase, "phase_at": rfc3339(since)} if phase and since else {}


def trouble(error: Mapping[str, Any] | None, run_after: datetime | None) -> dict[str, Any]:
    """What a queued job says of the failure that it waits after, and of when it is tried again."""
    if error is None or run_after is None:
        return {}
    return {"reason": {name: error.get(name, "") for name in ("code", "message")}, "retry_at": rfc3339(run_after)}

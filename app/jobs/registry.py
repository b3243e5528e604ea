"""Kinds of job: a domain registers its handler here; this package knows no other domain."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from app.jobs.event_log import EventLog, Lease
from app.jobs.lease import Connection, End
from app.jobs.states import JobStatus


@dataclass(frozen=True, slots=True)
class Retry:
    """Give the job back to the queue and try again then."""

    run_after: datetime
    failures: int
    failing_since: datetime | None
    error: dict[str, Any]


Outcome = End | Retry


@dataclass(slots=True)
class JobContext:
    """What a handler is given. `services` is whatever the process offers handlers; `state` is the handler's own."""

    lease: Lease
    log: EventLog
    services: Any
    state: dict[str, Any] = field(default_factory=dict)


class Handler(Protocol):
    """A kind of job. One object serves all jobs of the kind."""

    time_limit: float

    async def run(self, context: JobContext) -> Outcome:
        """Do the work. CancelledError means: stop now; `interrupted` is asked next."""
        ...

    def interrupted(self, context: JobContext, reason: str) -> End:
        """How a run ends that was stopped by `cancel` or `time_limit`."""
        ...

    def abandoned(self, connection: Connection, job_id: str, status: JobStatus, error: dict[str, Any] | None) -> None:
        """Write the domain's rows when a job ends with nobody running it."""
        ...


_handlers: dict[str, Handler] = {}


def register(kind: str, handler: Handler) -> None:
    _handlers[kind] = handler


def handler_of(kind: str) -> Handler:
    return _handlers[kind]


def kinds() -> list[str]:
    return list(_handlers)

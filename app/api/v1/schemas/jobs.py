"""Jobs and their events as they go over the wire."""

from typing import Any, Literal

from app.api.v1.schemas.base import Id, Timestamp, View
from app.clock import rfc3339
from app.jobs.models import Job
from app.jobs.states import standing, trouble

Kind = Literal["answer", "title", "model_pull", "import", "export", "index"]
Phase = Literal["waiting", "loading", "reading", "writing"]
Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class ErrorView(View):
    code: str
    message: str
    retryable: bool


class Reason(View):
    code: str
    message: str


class Progress(View):
    done: int
    total: int | None
    unit: str


class Links(View):
    self: str
    events: str
    cancel: str
    conversation: str | None


class EventView(View):
    """The same event as in the stream."""

    id: int | None
    event: str
    data: dict[str, Any]


class JobView(View):
    """`position` 1 = next to start, null unless queued. `events` only when `after` was given; `username` and `model`
    only in the list of everybody's.

    `phase` and `phase_at` while it runs: where it stands with its model server and since when, as far as that is known.
    `reason` and `retry_at` while it waits after a failure: what went wrong, and when it is tried again.
    """

    id: Id
    kind: Kind
    status: Status
    attempt: int
    position: int | None
    phase: Phase | None
    phase_at: Timestamp | None
    progress: Progress | None
    result: dict[str, Any] | None
    error: ErrorView | None
    reason: Reason | None
    retry_at: Timestamp | None
    last_event_id: int
    created_at: Timestamp
    started_at: Timestamp | None
    finished_at: Timestamp | None
    links: Links
    events: list[EventView] | None = None
    username: str | None = None
    model: str | None = None


def job_json(job: Job, position: int | None) -> dict[str, Any]:
    here = f"/api/v1/jobs/{job.id}"
    return {
        "id": job.id,
        "kind": job.kind,
        "status": job.status,
        "attempt": job.attempt,
        "position": position,
        "phase": None,
        "phase_at": None,
        **(standing(job.phase, job.phase_at) if job.status == "running" else {}),
        "progress": job.progress,
        "result": job.result,
        "error": job.error if job.status == "failed" else None,
        "reason": None,
        "retry_at": None,
        **(trouble(job.error, job.run_after) if job.status == "queued" else {}),
        "last_event_id": job.last_event_id,
        "created_at": rfc3339(job.created_at),
        "started_at": job.started_at and rfc3339(job.started_at),
        "finished_at": job.finished_at and rfc3339(job.finished_at),
        "links": {
            "self": here,
            "events": f"{here}/events",
            "cancel": f"{here}/cancel",
            "conversation": job.conversation_id and f"/api/v1/conversations/{job.conversation_id}",
        },
    }

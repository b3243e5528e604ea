"""Everybody's jobs as administrators see them: counts, lists, cancel, try again. Never what is written in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse, Response

from app.accounts.service import usernames_of
from app.generations.retrying import can_retry, retry_job
from app.http.csrf import verify_csrf
from app.ids import parse_id
from app.jobs.control import count_jobs, get_any_job, list_jobs
from app.jobs.models import Job
from app.jobs.places import places_of
from app.jobs.states import JobStatus, Phase
from app.web.admin import AdminVisit, SomeId
from app.web.context import PathId, Visit
from app.web.flash import flash
from app.web.forms import Path

router = APIRouter(prefix="/admin/jobs")
checked = [Depends(verify_csrf)]

LISTED = 50
KINDS = ("answer", "title", "model_pull")
Choice = Annotated[str, Query(max_length=20)]


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job without its contents."""

    job: Job
    owner: str
    place: int | None
    retryable: bool

    @property
    def model(self) -> str:
        return str(self.job.payload.get("model", ""))

    @property
    def stands(self) -> str:
        """Its status; of one that runs and does not write yet what it waits for."""
        phase = self.job.phase if self.job.status == JobStatus.running else None
        return phase if phase and phase != Phase.writing else self.job.status

    @property
    def error(self) -> str:
        return str((self.job.error or {}).get("message", ""))

    @property
    def has_ended(self) -> bool:
        return JobStatus(self.job.status).ended

    @property
    def progress(self) -> dict[str, Any] | None:
        return self.job.progress


async def rows_of(session: AsyncSession, jobs: Sequence[Job]) -> list[JobRow]:
    names = await usernames_of(session, [job.user_id for job in jobs])
    places = await places_of(session, jobs)
    return [JobRow(job, names.get(job.user_id, ""), places.get(job.id), can_retry(job)) for job in jobs]


@router.get("")
async def index(visit: AdminVisit, status: Choice = "", kind: Choice = "", before: SomeId = None) -> Response:
    """Newest first. What is not a status or a kind asks for all."""
    status, kind = (status if status in set(JobStatus) else ""), (kind if kind in KINDS else "")
    found = await list_jobs(
        visit.session,
        None,
        status=JobStatus(status) if status else None,
        kind=kind or None,
        before=before and parse_id(before),
        limit=LISTED + 1,
    )
    counts = await count_jobs(visit.session)
    rows = await rows_of(visit.session, found[:LISTED])
    older = rows[-1].job.id if len(found) > LISTED else ""
    return visit.page(
        "jobs/index.html",
        blocks=["jobs"],
        sidebar=await visit.sidebar(),
        tab="jobs",
        rows=rows,
        counts=counts,
        kinds=KINDS,
        state=status,
        kind=kind,
        address=_address(status=status, kind=kind, before=before or ""),
        older=older and _address(status=status, kind=kind, before=older),
        is_newest=before is None,
        refreshes=bool(counts["running"] or counts["queued"]) and before is None,
        link=_address,
    )


def _address(**choices: str) -> str:
    chosen = {name: value for name, value in choices.items() if value}
    return f"/admin/jobs?{urlencode(chosen)}" if chosen else "/admin/jobs"


@router.post("/{job_id}/cancel", dependencies=checked)
async def cancel(visit: AdminVisit, job_id: PathId, back: Path = "") -> Response:
    """Anybody's; one that has ended stays as it is."""
    await get_any_job(visit.session, job_id)
    await visit.session.close()
    await visit.services.engine.cancel(job_id)
    return _back(visit, back, "job_cancelled")


@router.post("/{job_id}/retry", dependencies=checked)
async def retry(visit: AdminVisit, job_id: PathId, back: Path = "") -> Response:
    await visit.session.close()
    services = visit.services
    await retry_job(
        services.database, services.providers, services.generations, services.engine.enqueued, visit.principal, job_id
    )
    return _back(visit, back, "job_retried")


def _back(visit: Visit, back: str, code: str) -> Response:
    response = RedirectResponse("/admin/models" if back == "models" else "/admin/jobs", 303)
    flash(visit.request, response, code)
    return response

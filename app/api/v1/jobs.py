"""A job's state (long poll), its events (SSE), the list, and cancelling."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from app.accounts.principal import Principal
from app.accounts.service import usernames_of
from app.api.v1.responses import Cursor, Format, JsonResponse, Limit, PathId, bad_cursor, from_cursor, to_cursor
from app.api.v1.schemas.base import Page
from app.api.v1.schemas.jobs import JobView, Kind, Status, job_json
from app.api.v1.schemas.messages import message_json
from app.errors import AppError
from app.generations import reading
from app.generations.live_html import LiveHtml
from app.generations.retrying import try_now
from app.generations.stream import JobStream
from app.http.authentication import ApiPrincipal, ApiWriter, still_allowed
from app.http.deps import ReadSession, Services, ServicesDep
from app.http.sse import EventStreamResponse, parse_position
from app.ids import parse_id
from app.jobs import control
from app.jobs.frames import Frame
from app.jobs.models import Job
from app.jobs.places import places_of
from app.jobs.queue import position
from app.jobs.states import JobStatus

router = APIRouter(prefix="/jobs", tags=["jobs"])

After = Annotated[str | None, Query(max_length=32, description="number of the last event seen")]
EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The events, `id:` on each numbered one; the last is `done`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.get("", operation_id="listJobs", response_model=Page[JobView])
async def list_jobs(
    principal: ApiPrincipal,
    session: ReadSession,
    status: Annotated[Status | None, Query()] = None,
    kind: Annotated[Kind | None, Query()] = None,
    all: Annotated[bool, Query(description="everybody's; administrators only")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Newest first."""
    if all:
        principal.require("admin")
    found = await control.list_jobs(
        session,
        None if all else principal.user_id,
        status=JobStatus(status) if status else None,
        kind=kind,
        before=_before(cursor) if cursor else None,
        limit=limit + 1,
    )
    places = await places_of(session, found[:limit])
    items = [job_json(job, places.get(job.id)) for job in found[:limit]]
    if all:
        names = await usernames_of(session, [job.user_id for job in found[:limit]])
        for item, job in zip(items, found, strict=False):
            item |= {"username": names.get(job.user_id), "model": job.payload.get("model")}
    return JsonResponse({"items": items, "next_cursor": to_cursor(items[-1]["id"]) if len(found) > limit else None})


def _before(cursor: str) -> str:
    try:
        return parse_id(from_cursor(cursor, 1)[0])
    except AppError:
        raise bad_cursor() from None


@router.get("/{job_id}", operation_id="getJob", response_model=JobView)
async def get_job(
    job_id: PathId,
    principal: ApiPrincipal,
    services: ServicesDep,
    wait: Annotated[int, Query(ge=0, le=30, description="seconds to hold the answer")] = 0,
    after: After = None,
    format: Format = "text",
) -> Response:
    """With `after` also the newer events, as soon as there are any; without, `wait` holds until the job ends."""
    numbered: Sequence[Frame] = ()
    if wait or after is not None:
        with services.viewers.enter(principal.user_id):
            stream = JobStream(services.database, services.engine, principal.user_id, job_id, still_allowed=_always)
            seen = parse_position(after)
            frames = await stream.wait(seen if after is not None else None, float(wait))
            numbered = [frame for frame in frames if frame.id is not None]
    async with services.database.read() as session:
        body = await _job_body(session, principal, job_id)
    if after is not None:
        shown = await _presenter(services, principal, job_id, seen, html=format == "html")(numbered)
        body["events"] = [{"id": f.id, "event": f.event, "data": orjson.loads(f.data)} for f in shown]
    return JsonResponse(body)


async def _always() -> bool:
    return True


async def _job_body(session: AsyncSession, principal: Principal, job_id: str) -> dict[str, Any]:
    return await _body_of(session, await control.get_job(session, principal.user_id, job_id))


async def _body_of(session: AsyncSession, job: Job) -> dict[str, Any]:
    return job_json(job, await position(session, job))


@router.get("/{job_id}/events", operation_id="streamJobEvents", responses=EVENT_STREAM, response_class=Response)
async def stream_job_events(
    job_id: PathId,
    principal: ApiPrincipal,
    services: ServicesDep,
    after: After = None,
    format: Format = "text",
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
) -> Response:
    """The job's events as they are committed, resumable at any position by `Last-Event-ID` or `after`."""
    seen = parse_position(last_event_id if last_event_id is not None else after)
    leave = services.viewers.enter(principal.user_id)
    try:
        stream = JobStream(
            services.database,
            services.engine,
            principal.user_id,
            job_id,
            still_allowed=lambda: still_allowed(services.database, principal),
        )
        batches = stream.follow(seen)
        first = await anext(batches)
    except BaseException:
        leave.close()
        raise
    present = _presenter(services, principal, job_id, seen, html=format == "html")
    return EventStreamResponse(first, batches, leave.close, present)


def _presenter(services: Services, principal: Principal, job_id: str, after: int, *, html: bool) -> Any:
    """Fills in what only this face can say: the `done` event's job and message, and HTML for deltas."""
    live = LiveHtml(services.database, job_id, after) if html else None

    async def present(frames: Sequence[Frame]) -> Sequence[Frame]:
        if live is not None:
            frames = await live.apply(frames)
        if frames and frames[-1].event == "done":
            data = await _done(services, principal, job_id, html=html)
            frames = [*frames[:-1], Frame(frames[-1].id, "done", orjson.dumps(data).decode())]
        return frames

    return present


async def _done(services: Services, principal: Principal, job_id: str, *, html: bool) -> dict[str, Any]:
    job, written = await reading.ended(services.database, principal, job_id)
    message = None
    if written is not None:
        message = await asyncio.to_thread(message_json, *written, html=True) if html else message_json(*written)
    return {"job": job_json(job, None), "message": message}


@router.post("/{job_id}/try-now", status_code=202, operation_id="tryJobNow", response_model=JobView)
async def try_job_now(job_id: PathId, principal: ApiWriter, services: ServicesDep) -> Response:
    """Do not wait until `retry_at`. The same answer for a job that does not wait after a failure."""
    job = await try_now(services.database, services.engine, principal, job_id)
    async with services.database.read() as session:
        return JsonResponse(await _body_of(session, job), 202, {"Location": f"/api/v1/jobs/{job.id}"})


@router.post("/{job_id}/cancel", status_code=202, operation_id="cancelJob", response_model=JobView)
async def cancel_job(job_id: PathId, principal: ApiWriter, services: ServicesDep) -> Response:
    """Stop it; the text so far is kept. The same answer for a job that has ended."""
    job = await services.endings.cancel(principal, job_id)
    return JsonResponse(job_json(job, None), 202, {"Location": f"/api/v1/jobs/{job.id}"})

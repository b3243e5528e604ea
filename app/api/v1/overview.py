"""The administrators' overview in figures."""

from fastapi import APIRouter
from starlette.responses import Response

from app import __version__
from app.accounts.service import count_users
from app.api.v1.responses import JsonResponse
from app.api.v1.schemas.base import View
from app.api.v1.schemas.jobs import Status
from app.http.authentication import ApiAdmin
from app.http.deps import ReadSession
from app.jobs.control import count_jobs

router = APIRouter(tags=["administration"])


class OverviewView(View):
    """`jobs`: everybody's, by status."""

    users: int
    jobs: dict[Status, int]
    version: str


@router.get("/overview", operation_id="getOverview", response_model=OverviewView)
async def get_overview(principal: ApiAdmin, session: ReadSession) -> Response:
    users, jobs = await count_users(session), await count_jobs(session)
    return JsonResponse({"users": users, "jobs": jobs, "version": __version__})

"""The administrators' pages: who may see them, the overview, and how people sign up."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import RedirectResponse, Response

from app import __version__
from app.accounts.service import count_users
from app.accounts.signup import is_fixed, set_signup_mode, signup_mode
from app.errors import AppError, ErrorKind
from app.http.csrf import verify_csrf
from app.http.deps import WriteSession
from app.jobs.control import count_jobs
from app.web.context import Visit, VisitDep
from app.web.flash import flash
from app.web.forms import Choice

router = APIRouter(prefix="/admin")
checked = [Depends(verify_csrf)]


def admin_visit(visit: VisitDep) -> Visit:
    """A visit of somebody who administers; for everybody else a page that says so."""
    if not visit.principal.is_admin:
        raise AppError(ErrorKind.forbidden, "administrators_only", "This page is for administrators.")
    return visit


AdminVisit = Annotated[Visit, Depends(admin_visit)]
SomeId = Annotated[str | None, Query(max_length=64)]


@router.get("")
async def show(visit: AdminVisit) -> Response:
    settings = visit.services.settings
    mode = await signup_mode(visit.session, settings)
    users, jobs = await count_users(visit.session), await count_jobs(visit.session)
    sidebar = await visit.sidebar()
    await visit.session.close()
    listed = await visit.services.providers.models()
    return visit.page(
        "admin/show.html",
        sidebar=sidebar,
        tab="overview",
        mode=mode,
        is_fixed=is_fixed(settings),
        users=users,
        jobs=jobs,
        listed=listed,
        version=__version__,
    )


@router.post("/signup", dependencies=checked)
async def choose_signup(visit: AdminVisit, session: WriteSession, signup: Choice = "") -> Response:
    await set_signup_mode(session, visit.services.settings, signup)
    response = RedirectResponse("/admin", 303)
    flash(visit.request, response, "saved")
    return response

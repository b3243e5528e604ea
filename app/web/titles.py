"""A conversation's title: renamed in place, or shown by itself when the model has found a better one."""

from fastapi import APIRouter, Depends
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse, Response

from app.conversations.models import Conversation
from app.conversations.service import update_conversation
from app.errors import AppError
from app.generations.stream import JobStream
from app.http.csrf import verify_csrf
from app.http.deps import WriteSession
from app.jobs.control import get_job, waiting_job
from app.web.context import PathId, Visit, VisitDep
from app.web.forms import FormState, Text, clean_title, refused
from app.web.leaving import unless_left
from app.web.templates import is_htmx

router = APIRouter()
checked = [Depends(verify_csrf)]

HOLD = 20.0
CHANGED = {"HX-Trigger": "conversations-changed"}
IN_PLACE = {"HX-Retarget": "#heading", "HX-Reswap": "outerHTML"}  # also where it was refused


@router.get("/c/{conversation_id}/rename")
async def show_rename(visit: VisitDep, conversation_id: PathId) -> Response:
    conversation = await visit.conversation(conversation_id)
    return await _rename_page(visit, conversation, FormState({"title": conversation.title}))


@router.post("/c/{conversation_id}/rename", dependencies=checked)
async def rename(visit: VisitDep, conversation_id: PathId, session: WriteSession, title: Text = "") -> Response:
    conversation = await visit.conversation(conversation_id)
    try:
        changes = {"title": clean_title(title)}
    except AppError as error:
        return await _rename_page(visit, conversation, refused(error, title=title))
    changed = await update_conversation(session, visit.principal, conversation_id, changes)
    if is_htmx(visit.request):
        return visit.page("conversations/renamed.oob.html", conversation=changed, headers=CHANGED)
    return RedirectResponse(f"/c/{conversation_id}", 303)


async def _rename_page(visit: Visit, conversation: Conversation, form: FormState) -> Response:
    if is_htmx(visit.request):
        return visit.page("conversations/_rename.html", conversation=conversation, form=form, headers=IN_PLACE)
    sidebar = await visit.sidebar(current_id=conversation.id)
    return visit.page("conversations/edit.html", sidebar=sidebar, conversation=conversation, form=form)


@router.get("/c/{conversation_id}/heading")
async def show_heading(visit: VisitDep, conversation_id: PathId) -> Response:
    """Back from renaming."""
    conversation = await visit.conversation(conversation_id)
    if not is_htmx(visit.request):
        return RedirectResponse(f"/c/{conversation_id}", 303)
    return visit.page("conversations/_heading.html", conversation=conversation)


async def title_job_of(session: AsyncSession, conversation: Conversation) -> str | None:
    """The job that looks for a title, while it has not ended."""
    if conversation.title_origin != "text":
        return None
    return await waiting_job(session, conversation.id, "title")


@router.get("/c/{conversation_id}/titles/{job_id}")
async def follow_title(visit: VisitDep, conversation_id: PathId, job_id: PathId) -> Response:
    """Held until the job has ended: then the title as it is, and no poller."""
    await visit.conversation(conversation_id)
    job = await get_job(visit.session, visit.principal.user_id, job_id)
    await visit.session.close()
    if not is_htmx(visit.request) or job.conversation_id != conversation_id:
        return RedirectResponse(f"/c/{conversation_id}", 303)
    services = visit.services
    with services.viewers.enter(visit.principal.user_id):
        stream = JobStream(services.database, services.engine, job.user_id, job_id, still_allowed=_always)
        await unless_left(visit.request, stream.wait(None, HOLD))
    conversation = await visit.conversation(conversation_id)
    title_job = await title_job_of(visit.session, conversation)
    headers = {} if title_job else CHANGED
    return visit.page("conversations/title.oob.html", conversation=conversation, title_job=title_job, headers=headers)


async def _always() -> bool:
    return True

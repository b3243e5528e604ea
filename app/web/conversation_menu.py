"""What is done to a conversation as a whole: pin, archive, download, delete, restore."""

from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Depends, Query
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.clock import rfc3339
from app.conversations.deleting import restore_conversation
from app.conversations.exporting import export_json, export_markdown
from app.conversations.models import Conversation
from app.conversations.service import update_conversation
from app.http.csrf import verify_csrf
from app.http.deps import WriteSession
from app.web.context import PathId, Visit, VisitDep
from app.web.flash import NOTICES, flash
from app.web.forms import Path, safe_next
from app.web.templates import is_htmx
from app.web.titles import CHANGED, title_job_of

router = APIRouter()
checked = [Depends(verify_csrf)]


@router.get("/c/{conversation_id}/actions")
async def show_actions(visit: VisitDep, conversation_id: PathId) -> Response:
    """The menu of a row of the list: alone for HTMX, a page without."""
    conversation = await visit.conversation(conversation_id)
    if is_htmx(visit.request):
        return visit.page("conversations/_menu.html", conversation=conversation, in_place=False)
    sidebar = await visit.sidebar(current_id=conversation_id)
    return visit.page("conversations/actions.html", sidebar=sidebar, conversation=conversation)


@router.post("/c/{conversation_id}/pin", dependencies=checked)
async def pin(visit: VisitDep, conversation_id: PathId, session: WriteSession) -> Response:
    return await _change(visit, session, conversation_id, {"pinned": True})


@router.post("/c/{conversation_id}/unpin", dependencies=checked)
async def unpin(visit: VisitDep, conversation_id: PathId, session: WriteSession) -> Response:
    return await _change(visit, session, conversation_id, {"pinned": False})


@router.post("/c/{conversation_id}/archive", dependencies=checked)
async def archive(visit: VisitDep, conversation_id: PathId, session: WriteSession) -> Response:
    return await _change(visit, session, conversation_id, {"archived": True}, "conversation_archived")


@router.post("/c/{conversation_id}/unarchive", dependencies=checked)
async def unarchive(visit: VisitDep, conversation_id: PathId, session: WriteSession, next: Path = "") -> Response:
    return await _change(visit, session, conversation_id, {"archived": False}, "conversation_unarchived", next)


async def _change(
    visit: Visit,
    session: WriteSession,
    conversation_id: str,
    changes: dict[str, Any],
    notice: str = "",
    there: str = "",
) -> Response:
    conversation = await update_conversation(session, visit.principal, conversation_id, changes)
    if is_htmx(visit.request):
        return await _changed(visit, conversation, notice)
    response = RedirectResponse(safe_next(there) if there else f"/c/{conversation_id}", 303)
    if notice:
        flash(visit.request, response, notice, conversation_id)
    return response


async def _changed(visit: Visit, conversation: Conversation, notice: str) -> Response:
    """Its heading, on its own page; the list asks for itself anew."""
    title_job = await title_job_of(visit.session, conversation)
    is_open = _is_open(visit, conversation.id)
    return visit.page(
        "conversations/changed.oob.html",
        conversation=conversation,
        title_job=title_job,
        is_open=is_open,
        said=notice and (notice, NOTICES[notice], conversation.id),
        headers=CHANGED,
    )


def _is_open(visit: Visit, conversation_id: str) -> bool:
    return urlsplit(visit.request.headers.get("hx-current-url", "")).path == f"/c/{conversation_id}"


@router.post("/c/{conversation_id}/delete", dependencies=checked)
async def delete(visit: VisitDep, conversation_id: PathId) -> Response:
    """Without a question: the notice has a way back."""
    await visit.services.endings.delete_conversation(visit.principal, conversation_id)
    if is_htmx(visit.request) and not _is_open(visit, conversation_id):
        said = ("conversation_deleted", NOTICES["conversation_deleted"], conversation_id)
        return visit.page("conversations/deleted.oob.html", said=said, headers=CHANGED)
    response = Response(status_code=204, headers={"HX-Redirect": "/"})
    if not is_htmx(visit.request):
        response = RedirectResponse("/", 303)
    flash(visit.request, response, "conversation_deleted", conversation_id)
    return response


@router.post("/c/{conversation_id}/restore", dependencies=checked)
async def restore(visit: VisitDep, conversation_id: PathId, session: WriteSession) -> Response:
    """Undo a deletion."""
    await restore_conversation(session, visit.principal, conversation_id)
    response = RedirectResponse(f"/c/{conversation_id}", 303)
    flash(visit.request, response, "conversation_unarchived")
    return response


@router.get("/c/{conversation_id}/export")
async def export(
    visit: VisitDep,
    conversation_id: PathId,
    format: Annotated[Literal["markdown", "json"], Query()] = "markdown",
) -> Response:
    """A file: the branch in view as Markdown, or all branches as JSON."""
    conversation = await visit.conversation(conversation_id)
    if format == "json":
        body = await export_json(visit.session, conversation, rfc3339)
        return JSONResponse(body, headers=_attachment(conversation, "json"))
    text = await export_markdown(visit.session, conversation)
    return Response(text, media_type="text/markdown", headers=_attachment(conversation, "md"))


def _attachment(conversation: Conversation, ending: str) -> dict[str, str]:
    """Named after its title, by its id for clients that know only ASCII."""
    name = "".join(" " if c in '<>:"/\\|?*' or not c.isprintable() else c for c in conversation.title)
    name = " ".join(name.split()).strip(". ")[:100] or f"conversation-{conversation.id}"
    plain = f'filename="conversation-{conversation.id}.{ending}"'
    return {"Content-Disposition": f"attachment; {plain}; filename*=UTF-8''{quote(f'{name}.{ending}', safe='')}"}

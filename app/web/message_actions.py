"""What can be done with one message beside asking and answering: look closer, copy, delete."""

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from app.conversations.messages import branch_of, get_message
from app.conversations.models import Message
from app.generations import reading
from app.http.csrf import verify_csrf
from app.web.context import PathId, VisitDep
from app.web.filters import message_link
from app.web.message_views import views
from app.web.templates import is_htmx

router = APIRouter()
checked = [Depends(verify_csrf)]


@router.get("/messages/{message_id}")
async def show_message(visit: VisitDep, message_id: PathId) -> Response:
    """The message as it stands in its conversation; by itself for htmx."""
    pair = await reading.message(visit.session, visit.principal, message_id)
    if not is_htmx(visit.request):
        return RedirectResponse(message_link(pair[0]), 303)
    message = (await views(visit.session, visit.principal, [pair], visit.live))[0]
    return visit.page("messages/_message.html", message=message)


@router.get("/messages/{message_id}/source")
async def source(visit: VisitDep, message_id: PathId) -> Response:
    """The text as it was written: Markdown, if it is an answer."""
    message, _ = await reading.message(visit.session, visit.principal, message_id)
    return Response(message.content, media_type="text/plain; charset=utf-8")


@router.get("/messages/{message_id}/actions")
async def actions(visit: VisitDep, message_id: PathId) -> Response:
    """How it was made, and what is done with it less often."""
    pair = await reading.message(visit.session, visit.principal, message_id)
    message = (await views(visit.session, visit.principal, [pair], visit.live))[0]
    return await _page_of(visit, "messages/actions.html", pair[0], message=message)


@router.get("/messages/{message_id}/delete")
async def ask_to_delete(visit: VisitDep, message_id: PathId) -> Response:
    """Names what will be lost."""
    message = await get_message(visit.session, visit.principal, message_id)
    count = len(await branch_of(visit.session, message))
    return await _page_of(visit, "messages/delete.html", message, message=message, count=count)


@router.post("/messages/{message_id}/delete", dependencies=checked)
async def delete(visit: VisitDep, message_id: PathId) -> Response:
    """With its branch below."""
    message = await get_message(visit.session, visit.principal, message_id)
    await visit.session.close()
    await visit.services.endings.delete_message(visit.principal, message_id)
    return RedirectResponse(f"/c/{message.conversation_id}", 303)


async def _page_of(visit: VisitDep, name: str, of: Message, **context: object) -> Response:
    conversation = await visit.conversation(of.conversation_id)
    sidebar = await visit.sidebar(current_id=conversation.id)
    return visit.page(name, blocks=["menu"], sidebar=sidebar, conversation=conversation, **context)

"""Send a message, ask differently, choose a branch."""

import orjson
from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from app.conversations.messages import get_message, window_of
from app.conversations.service import update_conversation
from app.errors import AppError, ErrorKind
from app.generations import reading
from app.generations.service import Accepted, Replayed
from app.http.csrf import verify_csrf
from app.http.deps import WriteSession
from app.web.chat import chat_context, running_job
from app.web.composer import composer_of
from app.web.context import PathId, Visit, VisitDep
from app.web.filters import dom_id
from app.web.forms import Choice, FormState, Key, ModelId, Text, clean_content, once_of, refused
from app.web.message_views import views
from app.web.templates import is_htmx
from app.web.titles import CHANGED

router = APIRouter()
checked = [Depends(verify_csrf)]


@router.post("/c/{conversation_id}/messages", dependencies=checked)
async def send(
    visit: VisitDep,
    conversation_id: PathId,
    content: Text = "",
    model: ModelId = "",
    seen: Choice = "",
    idempotency_key: Key = "",
) -> Response:
    """The 202's fragment: the message, the answer that is being written, a fresh composer."""
    try:
        text = clean_content(content)
        once = once_of(visit.request, idempotency_key, text, made_ids)
        outcome = await visit.services.generations.send_message(
            visit.principal, conversation_id, content=text, model=model or None, seen=seen or None, once=once
        )
    except AppError as error:
        form = refused(error, content=content, model=model)
        return await _send_again(visit, conversation_id, form, is_behind=error.code == "newer_messages")
    if is_htmx(visit.request):
        return await _created(visit, conversation_id, outcome)
    return RedirectResponse(f"/c/{conversation_id}", 303)


def made_ids(accepted: Accepted) -> str:
    """What an idempotency key remembers for pages."""
    return orjson.dumps([accepted.user_message.id, accepted.assistant_message.id]).decode()


async def _created(visit: Visit, conversation_id: str, outcome: Accepted | Replayed) -> Response:
    made = orjson.loads(outcome.body if isinstance(outcome, Replayed) else made_ids(outcome))
    conversation = await visit.conversation(conversation_id)
    pairs = [await reading.message(visit.session, visit.principal, message_id) for message_id in made]
    messages = await views(visit.session, visit.principal, pairs, visit.live)
    window = await window_of(visit.session, conversation)
    await visit.session.close()
    composer = composer_of(conversation, await visit.services.providers.models(), running_job(window))
    return visit.page("messages/create.oob.html", status=202, headers=CHANGED, messages=messages, composer=composer)


async def _send_again(visit: Visit, conversation_id: str, form: FormState, *, is_behind: bool) -> Response:
    """The composer with what was typed and why it was refused: for HTMX alone, or with the messages that it has not."""
    conversation = await visit.conversation(conversation_id)
    context = await chat_context(visit, conversation, still=True, form=form)
    if not is_htmx(visit.request):
        return visit.page("conversations/show.html", form=form, **context)
    if is_behind:
        headers = {"HX-Retarget": "#chat", "HX-Reswap": "outerMorph", "HX-Reselect": "#chat"}
        return visit.page("conversations/show.html", form=form, headers=headers, **context)
    headers = {"HX-Retarget": "#composer", "HX-Reswap": "outerHTML"}
    return visit.page("conversations/_composer.html", form=form, headers=headers, **context)


@router.get("/messages/{message_id}/edit")
async def show_edit(visit: VisitDep, message_id: PathId) -> Response:
    message = await get_message(visit.session, visit.principal, message_id)
    return await _edit_page(visit, message_id, FormState({"content": message.content}))


@router.post("/messages/{message_id}/edit", dependencies=checked)
async def edit(visit: VisitDep, message_id: PathId, content: Text = "", idempotency_key: Key = "") -> Response:
    """Another wording beside the first, and an answer to it."""
    message = await get_message(visit.session, visit.principal, message_id)
    await visit.session.close()
    try:
        text = clean_content(content)
        once = once_of(visit.request, idempotency_key, text, made_ids)
        await visit.services.generations.edit(visit.principal, message_id, content=text, once=once)
    except AppError as error:
        return await _edit_page(visit, message_id, refused(error, content=content))
    return RedirectResponse(f"/c/{message.conversation_id}", 303)


async def _edit_page(visit: Visit, message_id: str, form: FormState) -> Response:
    message = await get_message(visit.session, visit.principal, message_id)
    if message.role != "user":
        raise AppError(ErrorKind.conflict, "not_editable", "Only your own messages can be edited.")
    conversation = await visit.conversation(message.conversation_id)
    if is_htmx(visit.request):
        headers = {"HX-Retarget": f"#{dom_id('message', message.id, 'body')}", "HX-Reswap": "outerHTML"}
        return visit.page("messages/_edit.html", message=message, form=form, headers=headers)
    sidebar = await visit.sidebar(current_id=conversation.id)
    return visit.page("messages/edit.html", sidebar=sidebar, conversation=conversation, message=message, form=form)


@router.post("/messages/{message_id}/select", dependencies=checked)
async def select_branch(visit: VisitDep, message_id: PathId, session: WriteSession) -> Response:
    """Bring the branch of this message into view."""
    message = await get_message(session, visit.principal, message_id)
    await update_conversation(session, visit.principal, message.conversation_id, {"head_id": message_id})
    return RedirectResponse(f"/c/{message.conversation_id}", 303)

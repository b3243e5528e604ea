"""The first page, a conversation, and what is done to one as a whole."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import RedirectResponse, Response

from app.conversations.models import Conversation
from app.conversations.service import create_conversation, update_conversation
from app.errors import AppError
from app.generations.service import Accepted, Replayed
from app.http.csrf import verify_csrf
from app.http.deps import WriteSession
from app.ids import parse_id
from app.web.chat import chat_context
from app.web.composer import composer_for_new
from app.web.context import PathId, Visit, VisitDep
from app.web.forms import FormState, Text, clean_content, clean_title, once_of, refused

router = APIRouter()
checked = [Depends(verify_csrf)]

SomeId = Annotated[str | None, Query(max_length=64)]


@router.get("/")
async def index(visit: VisitDep, older: SomeId = None) -> Response:
    """The list of conversations and a place to begin a new one."""
    return await _index(visit, older=older)


@router.post("/", dependencies=checked)
async def begin(visit: VisitDep, content: Text = "", model: Text = "", idempotency_key: Text = "") -> Response:
    """A new conversation with its first message."""
    try:
        conversation_id = await _begin(visit, clean_content(content), model or None, idempotency_key)
    except AppError as error:
        form = refused(error, content=content, model=model)
        return await _index(visit, form=form)
    return RedirectResponse(f"/c/{conversation_id}", 303)


async def _begin(visit: Visit, content: str, model: str | None, key: str) -> str:
    generations = visit.services.generations
    once = once_of(visit.request, key, content, lambda accepted: accepted.user_message.conversation_id)
    async with visit.services.database.transaction() as session:
        conversation = await create_conversation(session, visit.principal)
    outcome: Accepted | Replayed | None = None
    try:
        outcome = await generations.send_message(
            visit.principal, conversation.id, content=content, model=model, once=once
        )
    finally:
        # Refused, or sent twice: the conversation that was made for it would stay empty.
        if not isinstance(outcome, Accepted):
            await generations.delete_conversation(visit.principal, conversation.id)
    return outcome.body if isinstance(outcome, Replayed) else conversation.id


async def _index(visit: Visit, *, older: str | None = None, form: FormState | None = None) -> Response:
    sidebar = await visit.sidebar(older=older)
    await visit.session.close()
    listed = await visit.services.providers.models()
    latest = sidebar.conversations[0].model if sidebar.conversations else None
    composer = composer_for_new(listed, latest or visit.services.settings.default_model, form)
    return visit.page("conversations/index.html", form=form, sidebar=sidebar, listed=listed, composer=composer)


@router.get("/c/{conversation_id}")
async def show(visit: VisitDep, conversation_id: PathId, before: SomeId = None, still: bool = False) -> Response:
    """The newest messages of the branch in view, or those `before` one. `still`: no refreshing without scripts."""
    conversation = await visit.conversation(conversation_id)
    context = await chat_context(visit, conversation, before=before and parse_id(before), still=still)
    return visit.page("conversations/show.html", blocks=["earlier" if before else "chat"], **context)


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
    await update_conversation(session, visit.principal, conversation_id, changes)
    return RedirectResponse(f"/c/{conversation_id}", 303)


async def _rename_page(visit: Visit, conversation: Conversation, form: FormState) -> Response:
    sidebar = await visit.sidebar(current_id=conversation.id)
    return visit.page("conversations/edit.html", sidebar=sidebar, conversation=conversation, form=form)


@router.get("/c/{conversation_id}/delete")
async def ask_to_delete(visit: VisitDep, conversation_id: PathId) -> Response:
    """Names what will be lost."""
    conversation = await visit.conversation(conversation_id)
    sidebar = await visit.sidebar(current_id=conversation_id)
    return visit.page("conversations/delete.html", sidebar=sidebar, conversation=conversation)


@router.post("/c/{conversation_id}/delete", dependencies=checked)
async def delete(visit: VisitDep, conversation_id: PathId) -> Response:
    await visit.services.generations.delete_conversation(visit.principal, conversation_id)
    return RedirectResponse("/", 303)

"""The first page, the lists of conversations, and a conversation."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import RedirectResponse, Response

from app.accounts.service import get_user
from app.conversations.deleting import get_deleted
from app.conversations.service import create_conversation
from app.errors import AppError, ErrorKind
from app.generations.service import Accepted, Replayed
from app.http.assets import APP_IS_BUILT
from app.http.csrf import verify_csrf
from app.i18n import gettext
from app.ids import parse_id
from app.web.chat import MESSAGES, MOST_MESSAGES, chat_context
from app.web.composer import composer_for_new
from app.web.context import PathId, Visit, VisitDep
from app.web.forms import FormState, Key, ModelId, Text, clean_content, once_of, refused
from app.web.options import TypedSettings, clean_settings
from app.web.preferences import opens_app
from app.web.sidebar import LISTED, MOST_LISTED, sidebar_of
from app.web.templates import is_htmx

router = APIRouter()
checked = [Depends(verify_csrf)]

SomeId = Annotated[str | None, Query(max_length=64)]
Count = Annotated[int, Query(ge=1, le=100_000)]


@router.get("/")
async def index(visit: VisitDep, older: SomeId = None) -> Response:
    """The list of conversations and a place to begin a new one; or the application, where somebody has chosen that."""
    if APP_IS_BUILT and opens_app(visit.request) and not is_htmx(visit.request):
        return RedirectResponse("/app/", 303)
    return await _index(visit, older=older)


@router.post("/", dependencies=checked)
async def begin(
    visit: VisitDep, settings: TypedSettings, content: Text = "", model: ModelId = "", idempotency_key: Key = ""
) -> Response:
    """A new conversation with its settings and its first message."""
    try:
        conversation_id = await _begin(visit, clean_content(content), model or None, idempotency_key, settings)
    except AppError as error:
        form = refused(error, content=content, model=model, **settings)
        return await _index(visit, form=form)
    return RedirectResponse(f"/c/{conversation_id}", 303)


async def _begin(visit: Visit, content: str, model: str | None, key: str, settings: dict[str, str]) -> str:
    generations = visit.services.generations
    wanted = clean_settings(settings)
    once = once_of(visit.request, key, content, lambda accepted: accepted.user_message.conversation_id)
    async with visit.services.database.transaction() as session:
        conversation = await create_conversation(session, visit.principal, **wanted)
    outcome: Accepted | Replayed | None = None
    try:
        outcome = await generations.send_message(
            visit.principal, conversation.id, content=content, model=model, once=once
        )
    finally:
        # Refused, or sent twice: the conversation that was made for it would stay empty.
        if not isinstance(outcome, Accepted):
            await visit.services.endings.delete_conversation(visit.principal, conversation.id)
    return outcome.body if isinstance(outcome, Replayed) else conversation.id


async def _index(visit: Visit, *, older: str | None = None, form: FormState | None = None) -> Response:
    sidebar = await visit.sidebar(older=older)
    own = (await get_user(visit.session, visit.principal.user_id)).default_model
    await visit.session.close()
    listed = await visit.services.providers.models()
    latest = sidebar.conversations[0].model if sidebar.conversations else None
    default = listed.default(own, latest, visit.services.settings.default_model)
    composer = composer_for_new(listed, default, form)
    return visit.page("conversations/index.html", form=form, sidebar=sidebar, listed=listed, composer=composer)


@router.get("/conversations")
async def show_list(visit: VisitDep, older: SomeId = None, count: Count = LISTED, current: SomeId = None) -> Response:
    """The list alone: more of it, or all that a page has already, as it is now."""
    if not is_htmx(visit.request):
        return RedirectResponse(f"/?older={parse_id(older)}" if older else "/", 303)
    sidebar = await sidebar_of(
        visit.session,
        visit.principal,
        current_id=current and parse_id(current),
        older=older,
        count=min(count, MOST_LISTED),
    )
    title, gone = await _title_or_gone(visit, sidebar.current_id)
    return visit.page("conversations/list.oob.html", sidebar=sidebar, title=title, gone=gone)


async def _title_or_gone(visit: Visit, current_id: str | None) -> tuple[str | None, str | None]:
    """What the page that asks should say of its conversation: its title or, if it was deleted, its id; "": for good."""
    if current_id is None:
        return None, None
    try:
        return (await visit.conversation(current_id)).title or gettext("New conversation"), None
    except AppError as error:
        if error.kind is not ErrorKind.not_found:
            raise
    try:
        return None, (await get_deleted(visit.session, visit.principal, current_id)).id
    except AppError:
        return None, ""


@router.get("/archived")
async def show_archived(visit: VisitDep, older: SomeId = None) -> Response:
    """What was put away."""
    archived = await sidebar_of(visit.session, visit.principal, archived=True, older=older)
    return visit.page("conversations/archived.html", sidebar=await visit.sidebar(), archived=archived)


@router.get("/c/{conversation_id}")
async def show(
    visit: VisitDep,
    conversation_id: PathId,
    before: SomeId = None,
    message: SomeId = None,
    still: bool = False,
    whole: bool = False,
) -> Response:
    """The newest messages of the branch in view, those `before` one, or those around `message`, on any branch.

    `whole`: as many as a page may have, to search and to print. `still`: no refreshing without scripts.
    """
    conversation = await visit.conversation(conversation_id)
    context = await chat_context(
        visit,
        conversation,
        before=before and parse_id(before),
        around=message and parse_id(message),
        limit=MOST_MESSAGES if whole else MESSAGES,
        still=still,
    )
    blocks = ["earlier" if before else "chat"]
    return visit.page("conversations/show.html", blocks=blocks, **context)

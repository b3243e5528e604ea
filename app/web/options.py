"""The settings of a conversation: system prompt and how the model writes."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from app.conversations.models import Conversation
from app.conversations.service import update_conversation
from app.conversations.storage import refuse_if_over
from app.errors import AppError, invalid
from app.generations.options import LIMITS, check_system_prompt, read_options
from app.http.csrf import verify_csrf
from app.web.chat import chat_context
from app.web.composer import OPTION_FIELDS, composer_of
from app.web.context import PathId, Visit, VisitDep
from app.web.flash import flash
from app.web.forms import FormState, refused
from app.web.templates import is_htmx

router = APIRouter()
checked = [Depends(verify_csrf)]


async def typed_settings(request: Request) -> dict[str, str]:
    """The fields behind the disclosure, as they were typed; one that is not there is blank."""
    form = await request.form()
    typed = {name: form.get(name, "") for name in OPTION_FIELDS}
    return {name: text if isinstance(text, str) else "" for name, text in typed.items()}


TypedSettings = Annotated[dict[str, str], Depends(typed_settings)]


def clean_settings(typed: Mapping[str, str]) -> dict[str, Any]:
    """`system_prompt` and `options`."""
    text = typed.get("system_prompt", "").replace("\r\n", "\n")
    if "\0" in text:
        raise invalid("invalid_text", "This text has characters that cannot be stored.", "/system_prompt")
    return {"system_prompt": check_system_prompt(text).strip("\n"), "options": read_options(typed)}


@router.get("/c/{conversation_id}/options")
async def show_options(visit: VisitDep, conversation_id: PathId) -> Response:
    """They have no page of their own."""
    conversation = await visit.conversation(conversation_id)
    return RedirectResponse(f"/c/{conversation.id}", 303)


@router.post("/c/{conversation_id}/options", dependencies=checked)
async def set_options(visit: VisitDep, conversation_id: PathId, settings: TypedSettings) -> Response:
    """For the answers from now on."""
    conversation = await visit.conversation(conversation_id)
    try:
        wanted = clean_settings(settings)
    except AppError as error:
        return await _again(visit, conversation, refused(error, **settings))
    # What the form does not show, a program has set: it stays.
    shown = {*LIMITS, "think"}
    others = {name: value for name, value in conversation.options.items() if name not in shown}
    changes = {**wanted, "options": {**others, **wanted["options"]}}
    try:
        async with visit.services.database.transaction() as session:
            changed = await update_conversation(session, visit.principal, conversation_id, changes)
            await refuse_if_over(session, visit.principal.user_id, visit.services.settings.max_storage_per_user)
    except AppError as error:
        return await _again(visit, conversation, refused(error, **settings))
    if is_htmx(visit.request):
        return await _fragment(visit, changed, saved=True)
    response = RedirectResponse(f"/c/{conversation_id}", 303)
    flash(visit.request, response, "saved")
    return response


async def _fragment(
    visit: Visit, conversation: Conversation, form: FormState | None = None, *, saved: bool = False
) -> Response:
    await visit.session.close()
    composer = composer_of(conversation, await visit.services.providers.models(), None, settings=form)
    return visit.page("conversations/_options.html", form=form, composer=composer, saved=saved)


async def _again(visit: Visit, conversation: Conversation, form: FormState) -> Response:
    """What was typed and what is wrong with it, beside the fields."""
    if is_htmx(visit.request):
        form.headers.update({"HX-Retarget": "#options", "HX-Reswap": "outerHTML"})
        return await _fragment(visit, conversation, form)
    context = await chat_context(visit, conversation, still=True, settings=form)
    return visit.page("conversations/show.html", form=form, **context)

"""Follow an answer as it is written; stop, continue, ask for another one."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import RedirectResponse, Response

from app.conversations.messages import get_message, window_of
from app.errors import not_found
from app.generations import reading
from app.generations.live_page import Progress
from app.generations.retrying import try_now
from app.http.csrf import verify_csrf
from app.jobs.control import get_job
from app.providers.catalog import ModelList
from app.web.chat import running_job
from app.web.composer import composer_of
from app.web.context import PathId, Visit, VisitDep
from app.web.forms import Key, ModelId, once_of
from app.web.leaving import unless_left
from app.web.message_views import progress_view, views
from app.web.messages import made_ids
from app.web.model_choice import ModelChoices, choices_of
from app.web.templates import is_htmx
from app.web.titles import CHANGED, title_job_of

router = APIRouter()
checked = [Depends(verify_csrf)]

HOLD = 20.0
Number = Annotated[int, Query(ge=0, le=2**53)]


@router.get("/c/{conversation_id}/jobs/{job_id}")
async def follow(
    visit: VisitDep, conversation_id: PathId, job_id: PathId, after: Number = 0, seen: Number = 0
) -> Response:
    """The long-polled fragment: new closed blocks, the open block and the next poller; at the end, no poller."""
    if not is_htmx(visit.request):
        await _check_job(visit, conversation_id, job_id)
        return RedirectResponse(f"/c/{conversation_id}", 303)
    with visit.services.viewers.enter(visit.principal.user_id):
        waiting = visit.live.wait(visit.principal, conversation_id, job_id, after=after, seen=seen, seconds=HOLD)
        progress = await unless_left(visit.request, waiting)
    if progress.ended:
        return await _finished(visit, progress)
    return visit.page("generations/_progress.html", message=progress_view(progress))


async def _check_job(visit: Visit, conversation_id: str, job_id: str) -> None:
    job = await get_job(visit.session, visit.principal.user_id, job_id)
    await visit.session.close()
    if job.conversation_id != conversation_id:
        raise not_found()


async def _finished(visit: Visit, progress: Progress) -> Response:
    """The last of the text, and the message's final foot in place of the poller."""
    pair = await reading.message(visit.session, visit.principal, progress.message_id or "")
    final = (await views(visit.session, visit.principal, [pair], visit.live))[0]
    conversation = await visit.conversation(final.conversation_id)
    window = await window_of(visit.session, conversation)
    title_job = await title_job_of(visit.session, conversation)
    await visit.session.close()
    listed = ModelList()
    if final.usage and not final.usage.get("context_length"):
        listed = await visit.services.providers.models()
    composer = composer_of(conversation, listed, running_job(window), answers=window.messages)
    news = progress_view(progress)
    return visit.page(
        "generations/finish.oob.html",
        headers=CHANGED,
        message=final,
        news=news,
        composer=composer,
        conversation=conversation,
        title_job=title_job,
    )


@router.post("/c/{conversation_id}/jobs/{job_id}/cancel", dependencies=checked)
async def stop(visit: VisitDep, conversation_id: PathId, job_id: PathId) -> Response:
    """What was written stays. The poller shows the end."""
    await _check_job(visit, conversation_id, job_id)
    await visit.services.endings.cancel(visit.principal, job_id)
    return Response(status_code=204) if is_htmx(visit.request) else RedirectResponse(f"/c/{conversation_id}", 303)


@router.post("/c/{conversation_id}/jobs/{job_id}/try-now", dependencies=checked)
async def ask_now(visit: VisitDep, conversation_id: PathId, job_id: PathId) -> Response:
    """An answer that waits after a failure waits no longer."""
    await _check_job(visit, conversation_id, job_id)
    await visit.session.close()
    await try_now(visit.services.database, visit.services.engine, visit.principal, job_id)
    return Response(status_code=204) if is_htmx(visit.request) else RedirectResponse(f"/c/{conversation_id}", 303)


@router.get("/messages/{message_id}/regenerate")
async def ask_to_regenerate(visit: VisitDep, message_id: PathId) -> Response:
    """Which model shall give another answer."""
    message = await get_message(visit.session, visit.principal, message_id)
    conversation = await visit.conversation(message.conversation_id)
    sidebar = await visit.sidebar(current_id=conversation.id)
    await visit.session.close()
    listed = await visit.services.providers.models()
    others = [model.id for model in listed.items if model.id != message.model]
    return visit.page(
        "messages/regenerate.html",
        blocks=["menu"],
        sidebar=sidebar,
        conversation=conversation,
        message=message,
        choices=choices_of(listed, message.model) if listed.items else ModelChoices(),
        chosen=others[0] if others else message.model,
    )


@router.post("/messages/{message_id}/regenerate", dependencies=checked)
async def regenerate(visit: VisitDep, message_id: PathId, model: ModelId = "", idempotency_key: Key = "") -> Response:
    """Another answer beside this one, perhaps by another model."""
    message = await get_message(visit.session, visit.principal, message_id)
    await visit.session.close()
    once = once_of(visit.request, idempotency_key, model, made_ids)
    await visit.services.generations.regenerate(visit.principal, message_id, model=model or None, once=once)
    return RedirectResponse(f"/c/{message.conversation_id}", 303)


@router.post("/messages/{message_id}/continue", dependencies=checked)
async def go_on(visit: VisitDep, message_id: PathId, idempotency_key: Key = "") -> Response:
    """Go on where the answer was stopped or failed: also what “Try again” does."""
    message = await get_message(visit.session, visit.principal, message_id)
    await visit.session.close()
    once = once_of(visit.request, idempotency_key, "", made_ids)
    await visit.services.generations.continue_answer(visit.principal, message_id, once=once)
    return RedirectResponse(f"/c/{message.conversation_id}", 303)

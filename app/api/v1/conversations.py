"""List, create, rename, archive and delete conversations."""

from datetime import datetime

from fastapi import APIRouter, Query
from starlette.responses import Response

from app.api.v1.responses import Cursor, JsonResponse, Limit, PathId, bad_cursor, from_cursor, to_cursor
from app.api.v1.schemas.base import Page
from app.api.v1.schemas.conversations import (
    ConversationCreate,
    ConversationUpdate,
    ConversationView,
    conversation_json,
)
from app.clock import rfc3339
from app.conversations import service
from app.conversations.exporting import export_json, export_markdown
from app.conversations.storage import refuse_if_over
from app.http.authentication import ApiPrincipal, ApiWriter
from app.http.deps import ReadSession, ServicesDep, WriteSession
from app.ids import parse_id

router = APIRouter(prefix="/conversations", tags=["conversations"])


@router.get("", operation_id="listConversations", response_model=Page[ConversationView])
async def list_conversations(
    principal: ApiPrincipal,
    session: ReadSession,
    limit: Limit = 50,
    cursor: Cursor = None,
    archived: bool = Query(False, description="the archived ones instead"),
) -> Response:
    """Most recently used first, without their messages."""
    after = _after(cursor) if cursor else None
    found = await service.list_conversations(session, principal, archived=archived, after=after, limit=limit + 1)
    page = found[:limit]
    next_cursor = to_cursor(page[-1].updated_at.isoformat(), page[-1].id) if len(found) > limit else None
    return JsonResponse({"items": [conversation_json(c) for c in page], "next_cursor": next_cursor})


def _after(cursor: str) -> service.After:
    moment, last_id = from_cursor(cursor, 2)
    try:
        return service.After(datetime.fromisoformat(moment), parse_id(last_id))
    except Exception:
        raise bad_cursor() from None


@router.post("", status_code=201, operation_id="createConversation", response_model=ConversationView)
async def create_conversation(
    body: ConversationCreate, principal: ApiWriter, session: WriteSession, services: ServicesDep
) -> Response:
    if body.model:
        services.generations.check_model(body.model)
    conversation = await service.create_conversation(
        session,
        principal,
        title=body.title,
        model=body.model,
        system_prompt=body.system_prompt,
        options=body.options.given() if body.options else None,
    )
    await refuse_if_over(session, principal.user_id, services.settings.max_storage_per_user)
    location = {"Location": f"/api/v1/conversations/{conversation.id}"}
    return JsonResponse(conversation_json(conversation), 201, location)


@router.get("/{conversation_id}", operation_id="getConversation", response_model=ConversationView)
async def get_conversation(conversation_id: PathId, principal: ApiPrincipal, session: ReadSession) -> Response:
    return JsonResponse(conversation_json(await service.get_conversation(session, principal, conversation_id)))


@router.patch("/{conversation_id}", operation_id="updateConversation", response_model=ConversationView)
async def update_conversation(
    conversation_id: PathId,
    body: ConversationUpdate,
    principal: ApiWriter,
    session: WriteSession,
    services: ServicesDep,
) -> Response:
    """Change what the body names; choosing a `head_id` brings another branch into view."""
    await service.get_conversation(session, principal, conversation_id)
    if body.model:
        services.generations.check_model(body.model)
    changes = body.changes()
    changed = await service.update_conversation(session, principal, conversation_id, changes)
    if "system_prompt" in changes:
        await refuse_if_over(session, principal.user_id, services.settings.max_storage_per_user)
    return JsonResponse(conversation_json(changed))


@router.delete("/{conversation_id}", status_code=204, operation_id="deleteConversation")
async def delete_conversation(conversation_id: PathId, principal: ApiWriter, services: ServicesDep) -> Response:
    """With all its messages; what is being written there is cancelled."""
    await services.endings.delete_conversation(principal, conversation_id)
    return Response(status_code=204)


@router.get(
    "/{conversation_id}/export",
    operation_id="exportConversation",
    responses={200: {"content": {"application/json": {}, "text/markdown": {}}}},
)
async def export_conversation(
    conversation_id: PathId,
    principal: ApiPrincipal,
    session: ReadSession,
    format: str = Query("json", pattern="^(json|markdown)$"),
) -> Response:
    """The whole conversation: all branches as JSON, the branch in view as Markdown."""
    conversation = await service.get_conversation(session, principal, conversation_id)
    if format == "markdown":
        text = await export_markdown(session, conversation)
        return Response(text, media_type="text/markdown", headers=_attachment(conversation.id, "md"))
    body = await export_json(session, conversation, rfc3339)
    return JsonResponse(body, headers=_attachment(conversation.id, "json"))


def _attachment(name: str, ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="conversation-{name}.{ending}"'}

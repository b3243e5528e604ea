"""Read a window of the branch in view, one message; delete."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from app.api.v1.responses import Format, JsonResponse, Limit, PathId
from app.api.v1.schemas.messages import MessageView, MessageWindow, message_json
from app.conversations.service import get_conversation
from app.errors import AppError, invalid
from app.generations import reading
from app.http.authentication import ApiPrincipal, ApiWriter
from app.http.deps import ReadSession, ServicesDep
from app.ids import parse_id

router = APIRouter(tags=["messages"])

Before = Annotated[str | None, Query(max_length=64, description="`prev_cursor` of the window after")]


@router.get("/conversations/{conversation_id}/messages", operation_id="listMessages", response_model=MessageWindow)
async def list_messages(
    conversation_id: PathId,
    principal: ApiPrincipal,
    session: ReadSession,
    limit: Limit = 50,
    before: Before = None,
    format: Format = "text",
) -> Response:
    """The last messages of the branch in view, newest last; `before` takes `prev_cursor` to go up."""
    conversation = await get_conversation(session, principal, conversation_id)
    window = await reading.window(session, conversation, before=_position(before), limit=limit)
    pairs = [(message, window.siblings_of(message)) for message in window.messages]
    if format == "html":
        items = await asyncio.to_thread(lambda: [message_json(m, s, html=True) for m, s in pairs])
    else:
        items = [message_json(m, s) for m, s in pairs]
    return JsonResponse({"items": items, "prev_cursor": window.before})


def _position(before: str | None) -> str | None:
    try:
        return parse_id(before) if before else None
    except AppError:
        raise invalid("bad_cursor", "This cursor is not one that this list gave out.", "before") from None


@router.get("/messages/{message_id}", operation_id="getMessage", response_model=MessageView)
async def get_message(
    message_id: PathId,
    principal: ApiPrincipal,
    session: ReadSession,
    format: Format = "text",
) -> Response:
    message, siblings = await reading.message(session, principal, message_id)
    body: dict[str, Any] = await asyncio.to_thread(message_json, message, siblings, html=format == "html")
    return JsonResponse(body)


@router.delete("/messages/{message_id}", status_code=204, operation_id="deleteMessage")
async def delete_message(message_id: PathId, principal: ApiWriter, services: ServicesDep) -> Response:
    """With its branch below."""
    await services.endings.delete_message(principal, message_id)
    return Response(status_code=204)

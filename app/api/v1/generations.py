"""What makes a model write: send, edit, regenerate, continue. Each answers 202 with a job."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from app.api.openapi import problems
from app.api.v1.responses import JsonResponse, PathId
from app.api.v1.schemas.jobs import job_json
from app.api.v1.schemas.messages import AcceptedView, MessageCreate, MessageEdit, Regenerate, message_json
from app.generations.service import HEAD, Accepted, Once, Replayed
from app.http.authentication import ApiWriter
from app.http.deps import ServicesDep
from app.jobs.idempotency import check_key, fingerprint

router = APIRouter(tags=["messages"])

Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="the same key and body: the same answer, one job; for 24 hours"),
]
ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "Accepted: durable, and will be answered once.",
        "headers": {
            "Location": {"schema": {"type": "string"}, "description": "the job"},
            "Retry-After": {"schema": {"type": "integer"}},
            "Idempotency-Replayed": {"schema": {"type": "string"}},
        },
    }
}
ACCEPTED_IF_FIT = ACCEPTED | problems(409)


async def once_of(request: Request, key: str | None) -> Once | None:
    if key is None:
        return None
    wanted = fingerprint(request.method, request.url.path, await request.body())
    return Once(check_key(key), wanted, lambda accepted: orjson.dumps(accepted_json(accepted)).decode())


def accepted_json(accepted: Accepted) -> dict[str, Any]:
    return {
        "job": job_json(accepted.job, accepted.position),
        "user_message": message_json(accepted.user_message, accepted.user_siblings),
        "assistant_message": message_json(accepted.assistant_message, accepted.assistant_siblings),
    }


def accepted_response(outcome: Accepted | Replayed) -> Response:
    if isinstance(outcome, Replayed):
        headers = {"Location": f"/api/v1/jobs/{outcome.job_id}", "Retry-After": "1", "Idempotency-Replayed": "true"}
        return JsonResponse(outcome.body, 202, headers)
    headers = {"Location": f"/api/v1/jobs/{outcome.job.id}", "Retry-After": "1"}
    return JsonResponse(accepted_json(outcome), 202, headers)


@router.post(
    "/conversations/{conversation_id}/messages",
    status_code=202,
    operation_id="sendMessage",
    response_model=AcceptedView,
    responses=ACCEPTED_IF_FIT,
)
async def send_message(
    conversation_id: PathId,
    body: MessageCreate,
    request: Request,
    principal: ApiWriter,
    services: ServicesDep,
    idempotency_key: Key = None,
) -> Response:
    """Ask. While an answer is being written, the next one queues behind it."""
    outcome = await services.generations.send_message(
        principal,
        conversation_id,
        content=body.content,
        parent_id=body.parent_id if "parent_id" in body.model_fields_set else HEAD,
        model=body.model,
        options=body.options.given() if body.options else None,
        seen=body.seen_head_id,
        once=await once_of(request, idempotency_key),
    )
    return accepted_response(outcome)


@router.post(
    "/messages/{message_id}/edit",
    status_code=202,
    operation_id="editMessage",
    response_model=AcceptedView,
    responses=ACCEPTED_IF_FIT,
)
async def edit_message(
    message_id: PathId,
    body: MessageEdit,
    request: Request,
    principal: ApiWriter,
    services: ServicesDep,
    idempotency_key: Key = None,
) -> Response:
    """Ask differently: a sibling of your message and an answer to it. Nothing is overwritten."""
    once = await once_of(request, idempotency_key)
    return accepted_response(await services.generations.edit(principal, message_id, content=body.content, once=once))


@router.post(
    "/messages/{message_id}/regenerate",
    status_code=202,
    operation_id="regenerateMessage",
    response_model=AcceptedView,
    responses=ACCEPTED_IF_FIT,
)
async def regenerate_message(
    message_id: PathId,
    request: Request,
    principal: ApiWriter,
    services: ServicesDep,
    body: Regenerate | None = None,
    idempotency_key: Key = None,
) -> Response:
    """Another answer to the same question, perhaps by another model."""
    wanted = body or Regenerate()
    outcome = await services.generations.regenerate(
        principal,
        message_id,
        model=wanted.model,
        options=wanted.options.given() if wanted.options else None,
        once=await once_of(request, idempotency_key),
    )
    return accepted_response(outcome)


@router.post(
    "/messages/{message_id}/continue",
    status_code=202,
    operation_id="continueMessage",
    response_model=AcceptedView,
    responses=ACCEPTED_IF_FIT,
)
async def continue_message(
    message_id: PathId,
    request: Request,
    principal: ApiWriter,
    services: ServicesDep,
    idempotency_key: Key = None,
) -> Response:
    """Go on with an answer that was stopped, cut or interrupted: the same message, a new job."""
    once = await once_of(request, idempotency_key)
    return accepted_response(await services.generations.continue_answer(principal, message_id, once=once))

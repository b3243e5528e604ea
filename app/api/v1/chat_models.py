"""What the model servers offer (models.py always means tables)."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import ConfigDict, StringConstraints
from starlette.responses import Response

from app.api.openapi import problems
from app.api.v1.generations import ACCEPTED, Key
from app.api.v1.responses import JsonResponse
from app.api.v1.schemas.base import Schema, View
from app.api.v1.schemas.jobs import JobView, job_json
from app.db.session import after_commit
from app.errors import AppError, ErrorKind, invalid, not_found
from app.http.authentication import ApiAdmin, ApiPrincipal
from app.http.deps import Services, ServicesDep
from app.jobs.idempotency import check_key, fingerprint, recall, remember
from app.providers import pulling
from app.providers.base import ModelKeeper
from app.providers.errors import ModelNotFound, ProviderError

router = APIRouter(prefix="/models", tags=["models"])


class ModelView(View):
    id: str
    provider: str
    name: str
    context_length: int | None
    capabilities: list[str]
    loaded: bool | None


class ModelProblemView(View):
    """A model server that could not be asked."""

    provider: str
    message: str


class ModelList(View):
    items: list[ModelView]
    problems: list[ModelProblemView]


@router.get("", operation_id="listModels", response_model=ModelList)
async def list_models(principal: ApiPrincipal, services: ServicesDep) -> Response:
    """A dead model server never delays or empties the list of a live one."""
    listed = await services.providers.models()
    items = [
        {
            "id": m.id,
            "provider": m.provider,
            "name": m.name,
            "context_length": m.context_length,
            "capabilities": list(m.capabilities),
            "loaded": m.loaded,
        }
        for m in listed.items
    ]
    problems = [{"provider": p.provider, "message": p.message} for p in listed.problems]
    return JsonResponse({"items": items, "problems": problems})


class PullRequest(Schema):
    """A name in Ollama's library."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "qwen3:4b"}]})


class UnloadRequest(Schema):
    id: Annotated[str, StringConstraints(min_length=1, max_length=220)]


class PullAccepted(View):
    job: JobView


@router.post(
    "/pull",
    status_code=202,
    operation_id="pullModel",
    response_model=PullAccepted,
    responses={**ACCEPTED, **problems(409)},
)
async def pull_model(
    body: PullRequest, request: Request, principal: ApiAdmin, services: ServicesDep, idempotency_key: Key = None
) -> Response:
    """Download a model to Ollama, as a job with progress."""
    pulling.keeper_of(services.providers)
    pulling.check_name(body.name)
    key = check_key(idempotency_key) if idempotency_key is not None else None
    wanted = fingerprint(request.method, request.url.path, await request.body())
    async with services.database.transaction() as session:
        if key and (known := await recall(session, principal.user_id, key, wanted)):
            headers = {"Location": f"/api/v1/jobs/{known[0]}", "Idempotency-Replayed": "true"}
            return JsonResponse(known[1], 202, headers)
        job, place = await pulling.enqueue_pull(session, principal.user_id, body.name)
        answer = orjson.dumps({"job": job_json(job, place)}).decode()
        if key:
            await remember(session, principal.user_id, key, wanted, job.id, answer)
        after_commit(session, services.engine.wake)
    return JsonResponse(answer, 202, {"Location": f"/api/v1/jobs/{job.id}", "Retry-After": "1"})


@router.delete("", status_code=204, operation_id="deleteModel", responses=problems(409))
async def delete_model(
    principal: ApiAdmin,
    services: ServicesDep,
    id: Annotated[str, Query(min_length=1, max_length=220, description="`ollama/<name>`")],
) -> Response:
    """Remove a model from Ollama's disk."""
    await _told(services, lambda keeper: keeper.delete(_name_of(id, "id")))
    return Response(status_code=204)


@router.post("/unload", status_code=204, operation_id="unloadModel", responses=problems(409))
async def unload_model(body: UnloadRequest, principal: ApiAdmin, services: ServicesDep) -> Response:
    """Have Ollama give the model's memory back."""
    await _told(services, lambda keeper: keeper.unload(_name_of(body.id, "/id")))
    return Response(status_code=204)


def _name_of(model_id: str, pointer: str) -> str:
    provider, _, name = model_id.partition("/")
    if provider != pulling.PROVIDER:
        raise invalid("not_ollama", "Only Ollama's models can be managed.", pointer)
    return pulling.check_name(name, pointer)


async def _told(services: Services, verb: Callable[[ModelKeeper], Awaitable[None]]) -> None:
    try:
        await verb(pulling.keeper_of(services.providers))
    except ModelNotFound:
        raise not_found() from None
    except ProviderError as error:
        raise AppError(ErrorKind.unavailable, error.code, error.message, retry_after=5) from None

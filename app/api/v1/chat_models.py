"""What the model servers offer (models.py always means tables)."""

from dataclasses import asdict
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
from app.http.authentication import ApiAdmin, ApiPrincipal
from app.http.deps import ServicesDep
from app.jobs.idempotency import check_key, fingerprint
from app.providers import pulling
from app.providers.base import MAX_LISTED_ID

router = APIRouter(prefix="/models", tags=["models"])

AskedModel = Annotated[str, Query(min_length=1, max_length=MAX_LISTED_ID, description="`ollama/<name>`")]


class ModelView(View):
    id: str
    provider: str
    name: str
    context_length: int | None
    capabilities: list[str]
    loaded: bool | None


class ModelProblemView(View):
    """A model server that could not be asked, and why; `cuts_prompts`, `too_many`, `partly_away`: one that can."""

    provider: str
    message: str
    code: str


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
    problems = [{"provider": p.provider, "message": p.message, "code": p.code} for p in listed.problems]
    return JsonResponse({"items": items, "problems": problems})


class ModelDetailsView(View):
    """What Ollama says about the model; a field is empty where it says nothing. `size`: bytes on disk."""

    id: str
    family: str
    parameter_size: str
    quantization: str
    capabilities: list[str]
    context_length: int | None
    size: int | None
    parameters: str
    template: str
    system: str
    license: str


@router.get("/details", operation_id="getModelDetails", response_model=ModelDetailsView, responses=problems(409))
async def get_model_details(principal: ApiAdmin, services: ServicesDep, id: AskedModel) -> Response:
    details = await pulling.show_model(services.providers, id)
    listed = await services.providers.models()
    size = next((model.size for model in listed.items if model.id == id), None)
    return JsonResponse({"id": id, "size": size, **asdict(details)})


class PullRequest(Schema):
    """A name in Ollama's library."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "qwen3:4b"}]})


class UnloadRequest(Schema):
    id: Annotated[str, StringConstraints(min_length=1, max_length=MAX_LISTED_ID)]


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
    key = check_key(idempotency_key) if idempotency_key is not None else ""
    wanted = fingerprint(request.method, request.url.path, await request.body())
    once = pulling.PullOnce(key, wanted, lambda job, place: orjson.dumps({"job": job_json(job, place)}).decode())
    async with services.database.transaction() as session:
        accepted = await pulling.start_pull(
            session, services.providers, services.engine.enqueued, principal.user_id, body.name, once
        )
    extra = {"Idempotency-Replayed": "true"} if accepted.replayed else {"Retry-After": "1"}
    return JsonResponse(accepted.body, 202, {"Location": f"/api/v1/jobs/{accepted.job_id}", **extra})


@router.delete("", status_code=204, operation_id="deleteModel", responses=problems(409))
async def delete_model(
    principal: ApiAdmin,
    services: ServicesDep,
    id: AskedModel,
) -> Response:
    """Remove a model from Ollama's disk."""
    await pulling.delete_model(services.providers, id, "id")
    return Response(status_code=204)


@router.post("/unload", status_code=204, operation_id="unloadModel", responses=problems(409))
async def unload_model(body: UnloadRequest, principal: ApiAdmin, services: ServicesDep) -> Response:
    """Have Ollama give the model's memory back."""
    await pulling.unload_model(services.providers, body.id)
    return Response(status_code=204)

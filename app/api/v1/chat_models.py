"""What the model servers offer (models.py always means tables)."""

from fastapi import APIRouter
from starlette.responses import Response

from app.api.v1.responses import JsonResponse
from app.api.v1.schemas.base import View
from app.http.authentication import ApiPrincipal
from app.http.deps import ServicesDep

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

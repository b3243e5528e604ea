"""The API's reference as one plain page: no script, no download, the same policy as everywhere."""

from functools import lru_cache
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse, Response

from app.api.openapi import openapi_document, openapi_json, operations
from app.http.assets import ROOT, asset_url

OPENAPI_PATH = "/api/v1/openapi.json"
router = APIRouter(include_in_schema=False)


def install_docs(app: FastAPI) -> None:
    """Serve the description and the reference made of it; call it when all routes are there."""
    app.openapi = lambda: openapi_document(app)  # type: ignore[method-assign]
    app.include_router(router)


@router.get(OPENAPI_PATH)
async def openapi(request: Request) -> Response:
    return Response(openapi_json(request.app), media_type="application/json")


@router.get("/api/docs")
async def docs(request: Request) -> Response:
    return HTMLResponse(_page(request.app))


# As somebody gets to know it; routes stand in the order in which they are looked for.
READING_ORDER = ("accounts", "administration", "models", "conversations", "messages", "jobs")


@lru_cache(maxsize=4)
def _page(app: FastAPI) -> str:
    from jinja2 import Environment, FileSystemLoader

    # Not strict about names: almost every key of an OpenAPI document is optional.
    templates = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["type_name"] = type_name
    document = openapi_document(app)
    groups: dict[str, list[tuple[str, str, dict[str, Any]]]] = {name: [] for name in READING_ORDER}
    for path, method, operation in operations(document):
        groups.setdefault((operation.get("tags") or ["other"])[0], []).append((path, method.upper(), operation))
    return templates.get_template("api/docs.html").render(
        info=document["info"],
        groups=groups,
        schemas=document["components"]["schemas"],
        openapi_path=OPENAPI_PATH,
        stylesheet=asset_url("docs/reference.css"),
    )


def type_name(schema: dict[str, Any]) -> str:
    """A schema in a few words: `Message[]`, `string (uuid) or null`."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(type_name(item) for item in schema[several]))
    if "const" in schema:
        return f"“{schema['const']}”"
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"{type_name(schema.get('items', {}))}[]"
    kind = str(schema.get("type", "any"))
    return f"{kind} ({schema['format']})" if "format" in schema else kind

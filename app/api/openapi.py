"""The API's description: operation ids as declared, and every way an operation can refuse."""

from collections.abc import Iterator
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.api.v1.schemas.base import Problem

REFUSALS = {
    400: "The request is malformed.",
    401: "The bearer token is missing, expired or revoked.",
    403: "The credential's scopes or the role do not reach that far.",
    404: "It does not exist, or it is not yours.",
    409: "It does not fit the present state.",
    413: "The body is too large.",
    414: "The address is too long.",
    415: "The body has the wrong type.",
    422: "A field or parameter is not acceptable.",
    429: "Too much at once. Come back after `Retry-After` seconds.",
    431: "There are too many headers, or they are too large.",
    500: "An error of the server.",
    503: "The server cannot do this now. Come back after `Retry-After` seconds.",
    507: "The disk is full.",
}
METHODS = ("get", "put", "post", "patch", "delete")
FASTAPI_OWN = ("HTTPValidationError", "ValidationError")
RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "whole seconds"}}
# Of a scheme of OAuth alone some generators make clients that leave out the word "Bearer".
BEARER = {"type": "http", "scheme": "bearer", "description": "The same, for programs that have a token already."}
DESCRIPTION = (
    "Everything the pages and the app can do. Send `Authorization: Bearer …` with an access token or an API key. "
    "Errors are RFC 9457 problems. What can take longer than two seconds is a job: it is accepted at once, "
    "survives restarts, and is followed by long poll or as an event stream."
)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route, for refusals that cannot be told from its signature: `problems(409, 507)`."""
    return {status: _problem(status) for status in statuses}


def _problem(status: int) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": REFUSALS[status],
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in (429, 503, 507):
        response["headers"] = RETRY_AFTER
    return response


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The description of `/api/v1`, made once per application."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=DESCRIPTION,
            routes=app.routes,
            license_info={"name": "MIT", "identifier": "MIT"},
        )
        _complete(document)
        app.openapi_schema = document
    return app.openapi_schema


def openapi_json(app: FastAPI) -> bytes:
    """The same as a file, in a stable order: `frontend-islands/openapi.json`."""
    return orjson.dumps(openapi_document(app), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def _complete(document: dict[str, Any]) -> None:
    document["paths"] = {path: item for path, item in document["paths"].items() if path.startswith("/api/v1/")}
    schemas: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    for name in FASTAPI_OWN:
        schemas.pop(name, None)
    document["components"]["securitySchemes"]["BearerToken"] = BEARER
    for _, method, operation in operations(document):
        if operation.get("security"):
            operation["security"].append({"BearerToken": []})
        responses = operation["responses"]
        for status in _refusals(method, operation):
            # FastAPI's own 422 describes a shape that this server never sends.
            if str(status) not in responses or "HTTPValidationError" in str(responses[str(status)]):
                responses[str(status)] = _problem(status)
        operation["responses"] = dict(sorted(responses.items()))


def _refusals(method: str, operation: dict[str, Any]) -> Iterator[int]:
    yield from (400, 414, 422, 429, 431, 500, 503)
    if method != "get":
        yield 507
    if operation.get("security"):
        yield from (401, 403)
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", ())):
        yield 404
    if "requestBody" in operation:
        yield from (413, 415)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and description of each operation."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]

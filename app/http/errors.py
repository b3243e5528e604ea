"""Every failure rendered once: problem+json for programs, the same problem as HTML for people (RFC 9457)."""

import html
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, cast

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from app.errors import AppError, ErrorKind, FieldError
from app.i18n import worded
from app.ids import new_id
from app.observability.context import request_id

logger = logging.getLogger(__name__)

ProblemPage = Callable[[Request, dict[str, Any], int], Awaitable[Response]]

STATUS_OF_KIND = {
    ErrorKind.not_found: 404,
    ErrorKind.unauthenticated: 401,
    ErrorKind.forbidden: 403,
    ErrorKind.invalid: 422,
    ErrorKind.conflict: 409,
    ErrorKind.too_large: 413,
    ErrorKind.rate_limited: 429,
    ErrorKind.unavailable: 503,
}
STATUS_OF_CODE = {
    "bad_host": 400,
    "bad_idempotency_key": 400,
    "bad_position": 400,
    "malformed_json": 400,
    "unsupported_media_type": 415,
    "storage_full": 507,
}
# One title and one sentence per status, so that a route that is missing and a thing that is missing read alike.
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout",
    409: "Conflict",
    413: "Content Too Large",
    414: "URI Too Long",
    415: "Unsupported Media Type",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    507: "Insufficient Storage",
}
OF_STATUS = {
    400: ("bad_request", worded("The request could not be read.")),
    401: ("unauthenticated", worded("Sign in first.")),
    403: ("forbidden", worded("This is not allowed.")),
    404: ("not_found", worded("There is nothing here, or it is not yours.")),
    405: ("method_not_allowed", worded("This address does not answer to that method.")),
    413: ("too_large", worded("The request is too large.")),
    415: ("unsupported_media_type", worded("The server does not read this type of content here.")),
    500: ("internal_error", worded("Something went wrong on the server. It has been logged under this request's id.")),
    503: ("unavailable", worded("The server cannot answer right now. Try again.")),
}
DEFAULT_RETRY_AFTER = {429: 5, 503: 2, 507: 60}
NOT_PAGES = ("/api/", "/v1/", "/static/", "/healthz", "/readyz", "/metrics")
MAX_ERRORS = 20
MAX_FIELD = 200


def install_error_handlers(app: FastAPI) -> None:
    """Answer every failure as a problem. The pages may set `app.state.render_problem_page` to draw their own."""
    app.add_exception_handler(AppError, app_error_response)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(Exception, unexpected_error)


async def problem_response(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    errors: Iterable[FieldError] = (),
    headers: Mapping[str, str] | None = None,
    plain: bool = False,
) -> Response:
    """The problem in the shape that fits the address. `plain` keeps clear of templates."""
    this_request = request_id.get() or new_id()
    problem: dict[str, Any] = {
        "type": f"urn:teahouse:{code}",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "instance": f"urn:request:{this_request}",
        "request_id": this_request,
    }
    listed = [{"pointer": e.pointer, "code": e.code, "message": e.message} for e in errors]
    if listed:
        problem["errors"] = listed
    response = await _rendered(request, problem, status, plain)
    if status in DEFAULT_RETRY_AFTER:
        response.headers["Retry-After"] = str(DEFAULT_RETRY_AFTER[status])
    if status == 401 and not is_page(request.scope["path"]):
        response.headers["WWW-Authenticate"] = "Bearer"
    response.headers.update(headers or {})
    return response


def is_page(path: str) -> bool:
    """Whether people look at this address; programs get JSON."""
    return path != "/api" and not path.startswith(NOT_PAGES)


async def _rendered(request: Request, problem: dict[str, Any], status: int, plain: bool) -> Response:
    if not is_page(request.scope["path"]):
        return Response(orjson.dumps(problem), status, media_type="application/problem+json")
    hook = cast(ProblemPage | None, getattr(request.app.state, "render_problem_page", None))
    if hook is not None and not plain:
        try:
            return await hook(request, problem, status)
        except Exception:
            logger.exception("The page of an error could not be drawn")
    return HTMLResponse(_minimal_page(problem), status)


def _minimal_page(problem: Mapping[str, Any]) -> str:
    title, detail, reference = (html.escape(str(problem[key])) for key in ("title", "detail", "request_id"))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<h1>{title}</h1><p>{detail}</p><p><small>{reference}</small></p><p><a href="/">Teahouse</a></p></html>'
    )


async def app_error_response(request: Request, error: Exception) -> Response:
    assert isinstance(error, AppError)
    status = STATUS_OF_CODE.get(error.code, STATUS_OF_KIND[error.kind])
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return await problem_response(request, status, error.code, error.detail, errors=error.errors, headers=headers)


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code in (204, 304):
        return Response(status_code=error.status_code, headers=error.headers)
    fallback = (f"http_{error.status_code}", TITLES.get(error.status_code, "Error") + ".")
    code, detail = OF_STATUS.get(error.status_code, fallback)
    return await problem_response(request, error.status_code, code, detail, headers=error.headers)


async def _validation_error(request: Request, error: Exception) -> Response:
    """Says where and why; never repeats what was sent (it may be a password, or a megabyte)."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    kinds = {item["type"] for item in found}
    if "json_invalid" in kinds:
        return await problem_response(request, 400, "malformed_json", "The body is not the JSON that is read here.")
    text_is_bad = bool(kinds & {"invalid_text", "string_unicode"})
    code = "invalid_text" if text_is_bad else "invalid_input"
    errors = [_field_error(item) for item in found[:MAX_ERRORS]]
    return await problem_response(request, 422, code, worded("Some of the input is not acceptable."), errors=errors)


def _field_error(item: Mapping[str, Any]) -> FieldError:
    place, *path = (str(part)[:MAX_FIELD] for part in item["loc"] or ("body",))
    if place == "body":
        pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
    else:
        pointer = path[0] if path else place
    return FieldError(_encodable(pointer), str(item["type"]), _encodable(str(item["msg"])[:MAX_FIELD]))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


async def unexpected_error(request: Request, error: Exception) -> Response:
    """The caller learns the request's id, the log learns the rest."""
    logger.error("Unexpected error in %s %s", request.method, request.scope["path"], exc_info=error)
    return await problem_response(request, 500, *OF_STATUS[500])

"""A query parameter that a route does not declare is a mistake that should be told, not ignored."""

from typing import Any
from urllib.parse import unquote_plus

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query

from app.errors import AppError, ErrorKind, FieldError, invalid

MAX_NAMED = 10
MAX_KEPT = 2000
# By identity, since FastAPI's routes have no hash; the route is kept so that its identity is not given to another.
_known: dict[int, tuple[Any, frozenset[str]]] = {}


async def refuse_unknown_parameters(request: Request) -> None:
    """A dependency of the API's routers."""
    query: bytes = request.scope["query_string"]
    if not query:
        return
    if b"%00" in query:
        raise invalid("invalid_text", "Text must not contain NUL or lone surrogates.")
    names = {unquote_plus(pair.split("=", 1)[0]) for pair in query.decode("latin-1").split("&") if pair}
    unknown = sorted(names - _declared(request))[:MAX_NAMED]
    if unknown:
        errors = [FieldError(name[:100], "unknown_parameter", "There is no such parameter.") for name in unknown]
        detail = "A query parameter is not known here."
        raise AppError(ErrorKind.invalid, "unknown_parameter", detail, errors=errors)


def _declared(request: Request) -> frozenset[str]:
    # An included router's route is known by its context, which also has the router's own dependencies.
    route = request.scope.get("fastapi", {}).get("effective_route_context") or request.scope["route"]
    known = _known.get(id(route))
    if known is None:
        if len(_known) >= MAX_KEPT:
            _known.clear()
        fields = get_flat_params(route.dependant)
        names = frozenset(field.alias for field in fields if isinstance(field.field_info, Query))
        known = _known[id(route)] = (route, names)
    return known[1]

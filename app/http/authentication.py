"""Who is calling: on the API a bearer alone, on pages the cookie alone."""

import asyncio
import contextlib
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from app.accounts.api_keys import touch_key
from app.accounts.credentials import Caller, caller_of_api_key, caller_of_session, is_still_allowed
from app.accounts.principal import Principal
from app.accounts.sessions import touch_session
from app.db.session import Database
from app.errors import AppError, ErrorKind
from app.http.deps import Services, ServicesDep
from app.http.signing_in import address_of, session_id_of
from app.security import jwt, tokens

_scheme = OAuth2PasswordBearer("/api/v1/auth/login", auto_error=False, description="An access token or an API key.")
_noting: dict[str, asyncio.Task[None]] = {}  # by credential, so that a burst writes once


def _bearer(request: Request) -> str:
    """The one token of the one Authorization header; anything doubtful is no token at all."""
    headers = request.headers.getlist("authorization")
    if len(headers) != 1:
        raise jwt.invalid_token()
    scheme, _, token = headers[0].partition(" ")
    if scheme.lower() != "bearer" or not token or not token.isascii() or " " in token:
        raise jwt.invalid_token()
    return token


async def api_principal(
    request: Request, services: ServicesDep, _: Annotated[str | None, Depends(_scheme)]
) -> Principal:
    caller = await _caller(services, _bearer(request), address_of(request))
    _seen(services, caller, request)
    if not (request.method == "GET" and request.url.path.startswith(("/api/v1/jobs/", "/api/v1/events"))):
        services.throttle.count_request(caller.principal.user_id)
    caller.principal.require("read" if request.method in ("GET", "HEAD") else "write")
    return caller.principal


async def _caller(services: Services, token: str, address: str) -> Caller:
    lookup = services.database.lookup
    if tokens.is_token(tokens.API_KEY, token):
        caller = await caller_of_api_key(lookup, token, address)
    else:
        claims = jwt.decode(services.keyring, token)
        caller = await caller_of_session(lookup, claims.session_id, "access_token")
        if caller is not None and caller.principal.user_id != claims.user_id:
            caller = None
    if caller is None:
        raise jwt.invalid_token()
    return caller


async def api_admin(principal: "ApiPrincipal") -> Principal:
    principal.require("admin")
    return principal


ApiPrincipal = Annotated[Principal, Depends(api_principal)]
# The scope follows the method; the second name says what a route is for.
ApiWriter = ApiPrincipal
ApiAdmin = Annotated[Principal, Depends(api_admin)]


async def optional_page_principal(request: Request, services: ServicesDep) -> Principal | None:
    """Who the cookie says, if it still counts."""
    session_id = session_id_of(request, services)
    if session_id is None:
        return None
    caller = await caller_of_session(services.database.lookup, session_id, "cookie")
    if caller is None:
        return None
    _seen(services, caller, request)
    # A page that watches an answer, or what else is new, asks all the time.
    if not (request.method == "GET" and ("/jobs/" in request.url.path or request.url.path == "/events")):
        services.throttle.count_request(caller.principal.user_id)
    # For whoever draws an answer without having asked for the principal: the page of an error.
    request.state.principal = caller.principal
    return caller.principal


async def page_principal(principal: "OptionalPagePrincipal") -> Principal:
    """Pages turn this error into the way to the sign-in form and back."""
    if principal is None:
        raise AppError(ErrorKind.unauthenticated, "sign_in", "Sign in to see this page.")
    return principal


OptionalPagePrincipal = Annotated[Principal | None, Depends(optional_page_principal)]
PagePrincipal = Annotated[Principal, Depends(page_principal)]


async def still_allowed(database: Database, principal: Principal) -> bool:
    """Asked by open streams every few seconds: signed out, disabled or revoked elsewhere ends them."""
    return await is_still_allowed(database.lookup, principal)


def _seen(services: Services, caller: Caller, request: Request) -> None:
    """Note at most once a minute that the credential is used, after the request has its answer.

    A key is noted for each address that it comes from.
    """
    address, agent = address_of(request), request.headers.get("user-agent", "")
    credential = caller.principal.session_id or f"{caller.principal.api_key_id} from {address}"
    if not caller.stale or credential in _noting:
        return
    noting = _touch(services, caller.principal, address, agent)
    task = _noting[credential] = asyncio.create_task(noting, name=f"seen-{credential}")
    task.add_done_callback(lambda _: _noting.pop(credential, None))


async def _touch(services: Services, principal: Principal, address: str, user_agent: str) -> None:
    # A full or busy disk is told to whoever wants something saved.
    with contextlib.suppress(AppError):
        async with services.database.transaction() as session:
            if principal.session_id is not None:
                await touch_session(session, principal.session_id)
            elif principal.api_key_id is not None:
                await touch_key(session, principal.api_key_id, address=address, user_agent=user_agent)

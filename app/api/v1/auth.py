"""Register, sign in, refresh, sign out; profile, password, devices, API keys."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.accounts import api_keys, sessions
from app.accounts.access_tokens import access_token, issue_pair, rotate
from app.accounts.credentials import caller_of_session
from app.accounts.service import get_user, update_user
from app.api.openapi import problems
from app.api.v1.responses import JsonResponse, PathId
from app.api.v1.schemas.accounts import (
    AllowanceView,
    ApiKeyCreate,
    ApiKeyView,
    LoginForm,
    MeUpdate,
    PasswordChange,
    PasswordConfirmation,
    RefreshRequest,
    Register,
    SessionView,
    StorageView,
    TokenView,
    UserView,
    allowance_json,
    api_key_json,
    changes_of,
    session_json,
    storage_json,
    user_json,
)
from app.api.v1.schemas.base import Page
from app.clock import utcnow
from app.conversations.storage import storage_of
from app.generations import allowance
from app.http import signing_in
from app.http.account_ends import delete_account
from app.http.authentication import ApiPrincipal, ApiWriter
from app.http.deps import ReadSession, ServicesDep, WriteSession
from app.http.origin import same_origin
from app.http.signing_in import (
    clear_left_session,
    session_id_of,
    set_session_cookie,
    sign_in,
    sign_up,
)
from app.security import jwt

router = APIRouter(prefix="/auth", tags=["accounts"])


def _token_json(access: str, refresh: str | None = None) -> dict[str, Any]:
    body = {"access_token": access, "token_type": "bearer", "expires_in": jwt.LIFETIME}
    return body if refresh is None else {**body, "refresh_token": refresh}


@router.post(
    "/register", status_code=201, operation_id="register", response_model=UserView, responses=problems(403, 409)
)
async def register(body: Register, request: Request, services: ServicesDep) -> Response:
    """The first to register becomes the administrator."""
    user = await sign_up(services, request, body.username, body.email, body.password, body.invite)
    return JsonResponse(user_json(user), 201, {"Location": "/api/v1/auth/me"})


@router.post(
    "/login",
    operation_id="login",
    response_model=TokenView,
    response_model_exclude_none=True,
    responses=problems(401),
)
async def login(
    request: Request,
    services: ServicesDep,
    form: Annotated[LoginForm, Form()],
) -> Response:
    """OAuth2's password flow. From our own pages it also sets the session cookie, so both faces are signed in."""
    _, started = await sign_in(services, request, form.username, form.password, kind="api")
    async with services.database.transaction() as session:
        pair = await issue_pair(session, services.keyring, started)
    response = JsonResponse(_token_json(pair.access_token, pair.refresh_token))
    if same_origin(request):
        set_session_cookie(response, services, started)
    return response


@router.post(
    "/refresh",
    operation_id="refresh",
    response_model=TokenView,
    response_model_exclude_none=True,
    responses=problems(401),
)
async def refresh(request: Request, services: ServicesDep, body: RefreshRequest | None = None) -> Response:
    """With a refresh token: the rotated pair. Without: a new access token by the session cookie, same-origin only."""
    if body is None:
        return JsonResponse(_token_json(await _by_cookie(request, services)))
    async with services.database.transaction() as session:
        pair = await rotate(session, services.keyring, body.refresh_token)
    if pair is None:
        raise jwt.invalid_token()
    return JsonResponse(_token_json(pair.access_token, pair.refresh_token))


async def _by_cookie(request: Request, services: ServicesDep) -> str:
    session_id = session_id_of(request, services) if same_origin(request) else None
    lookup = services.database.lookup
    caller = await caller_of_session(lookup, session_id, "cookie") if session_id else None
    if caller is None or session_id is None:
        raise jwt.invalid_token()
    return access_token(services.keyring, caller.principal.user_id, session_id)


@router.post("/logout", status_code=204, operation_id="logout")
async def logout(request: Request, principal: ApiWriter, services: ServicesDep) -> Response:
    """Ends the session behind the token: its cookie, access and refresh tokens, and its open streams."""
    async with services.database.transaction() as session:
        if principal.session_id is not None:
            await sessions.end_session(session, principal.session_id)
    response = Response(status_code=204)
    if same_origin(request):
        clear_left_session(response, services, principal.user_id)
    return response


@router.get("/me", operation_id="getMe", response_model=UserView)
async def get_me(principal: ApiPrincipal, session: ReadSession) -> Response:
    return JsonResponse(user_json(await get_user(session, principal.user_id)))


@router.get("/me/tokens", operation_id="getMyTokens", response_model=AllowanceView)
async def get_my_tokens(principal: ApiPrincipal, session: ReadSession, services: ServicesDep) -> Response:
    """How many tokens today's answers have taken, and how many there may be."""
    today = await allowance.of_today(session, principal.user_id, services.settings.max_tokens_per_day)
    return JsonResponse(allowance_json(today))


@router.get("/me/storage", operation_id="getMyStorage", response_model=StorageView)
async def get_my_storage(principal: ApiPrincipal, session: ReadSession, services: ServicesDep) -> Response:
    """How many bytes of messages there are, and how many there may be."""
    storage = await storage_of(session, principal.user_id, services.settings.max_storage_per_user)
    return JsonResponse(storage_json(storage))


@router.patch("/me", operation_id="updateMe", response_model=UserView, responses=problems(409))
async def update_me(body: MeUpdate, principal: ApiWriter, session: WriteSession, services: ServicesDep) -> Response:
    changes = changes_of(body, nullable=frozenset({"default_model"}))
    if "email" in changes:
        principal.require_recent_password()
    if changes.get("default_model"):
        services.generations.check_model(changes["default_model"])
    return JsonResponse(user_json(await update_user(session, principal.user_id, changes)))


@router.delete("/me", status_code=204, operation_id="deleteMe", responses=problems(409))
async def delete_me(request: Request, principal: ApiWriter, services: ServicesDep) -> Response:
    """The account with everything that is in it. There is no way back."""
    principal.require_recent_password()
    await delete_account(services, principal.user_id)
    response = Response(status_code=204)
    if same_origin(request):
        clear_left_session(response, services, principal.user_id)
    return response


@router.post("/password", status_code=204, operation_id="changePassword")
async def change_password(
    body: PasswordChange, request: Request, principal: ApiWriter, services: ServicesDep
) -> Response:
    """Every other sign-in and every API key ends."""
    principal.require_session()
    await signing_in.change_password(services, request, principal, body.current_password, body.new_password)
    return Response(status_code=204)


@router.post("/confirm", status_code=204, operation_id="confirmPassword")
async def confirm_password(
    body: PasswordConfirmation, request: Request, principal: ApiWriter, services: ServicesDep
) -> Response:
    """For ten minutes from now this sign-in may do what is refused with `password_needed`; signing in is as good."""
    principal.require_session()
    await signing_in.confirm(services, request, principal, body.password)
    return Response(status_code=204)


@router.get("/sessions", operation_id="listSessions", response_model=Page[SessionView])
async def list_sessions(principal: ApiPrincipal, session: ReadSession) -> Response:
    """Devices signed in."""
    found = await sessions.list_sessions(session, principal.user_id)
    return JsonResponse({"items": [session_json(s, principal.session_id) for s in found], "next_cursor": None})


@router.delete("/sessions/{session_id}", status_code=204, operation_id="revokeSession")
async def revoke_session(session_id: PathId, principal: ApiWriter, session: WriteSession) -> Response:
    principal.require_recent_password()
    await sessions.revoke_session(session, principal.user_id, session_id)
    return Response(status_code=204)


@router.get(
    "/api-keys",
    operation_id="listApiKeys",
    response_model=Page[ApiKeyView],
    response_model_exclude_none=True,
)
async def list_api_keys(principal: ApiPrincipal, session: ReadSession) -> Response:
    found = await api_keys.list_keys(session, principal.user_id)
    uses = await api_keys.list_uses(session, principal.user_id)
    items = [api_key_json(key, uses.get(key.id, ())) for key in found]
    return JsonResponse({"items": items, "next_cursor": None})


@router.post(
    "/api-keys",
    status_code=201,
    operation_id="createApiKey",
    response_model=ApiKeyView,
    responses=problems(409),
)
async def create_api_key(body: ApiKeyCreate, principal: ApiWriter, session: WriteSession) -> Response:
    """The secret is in this answer and nowhere else."""
    principal.require_recent_password()
    expires_at = body.expires_at if "expires_at" in body.model_fields_set else utcnow() + api_keys.USUAL_LIFE
    key, secret = await api_keys.create_key(
        session, principal, name=body.name, scopes=body.scopes, expires_at=expires_at
    )
    return JsonResponse(api_key_json(key, secret=secret), 201, {"Location": f"/api/v1/auth/api-keys/{key.id}"})


@router.delete("/api-keys/{key_id}", status_code=204, operation_id="revokeApiKey")
async def revoke_api_key(key_id: PathId, principal: ApiWriter, session: WriteSession) -> Response:
    principal.require_recent_password()
    await api_keys.revoke_key(session, principal.user_id, key_id)
    return Response(status_code=204)

"""What administrators do with users: list, create, change, delete."""

from fastapi import APIRouter
from starlette.responses import Response

from app.accounts import service
from app.accounts.administration import create_account
from app.api.openapi import problems
from app.api.v1.responses import Cursor, JsonResponse, Limit, PathId, bad_cursor, from_cursor, to_cursor
from app.api.v1.schemas.accounts import (
    AllowanceView,
    StorageView,
    UserCreate,
    UserUpdate,
    UserView,
    allowance_json,
    changes_of,
    storage_json,
    user_json,
)
from app.api.v1.schemas.base import Page
from app.conversations.storage import storage_of
from app.errors import AppError
from app.generations import allowance
from app.http.account_ends import change_account, delete_account
from app.http.authentication import ApiAdmin
from app.http.deps import ReadSession, ServicesDep
from app.ids import parse_id

router = APIRouter(tags=["administration"])


@router.get("/users", operation_id="listUsers", response_model=Page[UserView])
async def list_users(principal: ApiAdmin, session: ReadSession, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Oldest first."""
    found = await service.list_users(session, after=_after(cursor) if cursor else None, limit=limit + 1)
    next_cursor = to_cursor(found[limit - 1].id) if len(found) > limit else None
    return JsonResponse({"items": [user_json(user) for user in found[:limit]], "next_cursor": next_cursor})


def _after(cursor: str) -> str:
    try:
        return parse_id(from_cursor(cursor, 1)[0])
    except AppError:
        raise bad_cursor() from None


@router.post("/users", status_code=201, operation_id="createUser", response_model=UserView, responses=problems(409))
async def create_user(body: UserCreate, principal: ApiAdmin, services: ServicesDep) -> Response:
    user = await create_account(services.database, body.username, body.email, body.password, body.role)
    return JsonResponse(user_json(user), 201, {"Location": f"/api/v1/users/{user.id}"})


@router.patch("/users/{user_id}", operation_id="updateUser", response_model=UserView, responses=problems(409))
async def update_user(user_id: PathId, body: UserUpdate, principal: ApiAdmin, services: ServicesDep) -> Response:
    """A disabled user is signed out everywhere at once, and what they had running is cancelled."""
    user = await change_account(services, user_id, changes_of(body))
    return JsonResponse(user_json(user))


@router.get("/users/{user_id}/tokens", operation_id="getUserTokens", response_model=AllowanceView)
async def get_user_tokens(
    user_id: PathId, principal: ApiAdmin, session: ReadSession, services: ServicesDep
) -> Response:
    """How many tokens the user's answers of today have taken, and how many there may be."""
    user = await service.get_user(session, user_id)
    return JsonResponse(
        allowance_json(await allowance.of_today(session, user.id, services.settings.max_tokens_per_day))
    )


@router.get("/users/{user_id}/storage", operation_id="getUserStorage", response_model=StorageView)
async def get_user_storage(
    user_id: PathId, principal: ApiAdmin, session: ReadSession, services: ServicesDep
) -> Response:
    """How many bytes of messages the user keeps, and how many there may be."""
    user = await service.get_user(session, user_id)
    return JsonResponse(storage_json(await storage_of(session, user.id, services.settings.max_storage_per_user)))


@router.delete("/users/{user_id}", status_code=204, operation_id="deleteUser", responses=problems(409))
async def delete_user(user_id: PathId, principal: ApiAdmin, services: ServicesDep) -> Response:
    """With everything that is theirs."""
    await delete_account(services, user_id)
    return Response(status_code=204)

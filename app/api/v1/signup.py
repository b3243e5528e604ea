"""Who may make an account: the sign-up mode, and invitations."""

from fastapi import APIRouter
from starlette.responses import Response

from app.accounts import invites
from app.accounts.signup import is_fixed, set_signup_mode, signup_mode
from app.api.openapi import problems
from app.api.v1.responses import JsonResponse, PathId
from app.api.v1.schemas.base import Page
from app.api.v1.schemas.signup import (
    InviteCreate,
    InviteView,
    NewInviteView,
    SignupUpdate,
    SignupView,
    invite_json,
)
from app.http.authentication import ApiAdmin
from app.http.deps import ReadSession, ServicesDep, WriteSession

router = APIRouter(tags=["administration"])


@router.get("/signup", operation_id="getSignup", response_model=SignupView)
async def get_signup(principal: ApiAdmin, session: ReadSession, services: ServicesDep) -> Response:
    settings = services.settings
    return JsonResponse({"mode": await signup_mode(session, settings), "fixed": is_fixed(settings)})


@router.patch("/signup", operation_id="updateSignup", response_model=SignupView, responses=problems(409))
async def update_signup(
    body: SignupUpdate, principal: ApiAdmin, session: WriteSession, services: ServicesDep
) -> Response:
    await set_signup_mode(session, services.settings, body.mode)
    return JsonResponse({"mode": body.mode, "fixed": False})


@router.get("/invites", operation_id="listInvites", response_model=Page[InviteView])
async def list_invites(principal: ApiAdmin, session: ReadSession) -> Response:
    """Those that can still be used, the newest first."""
    found = await invites.list_invites(session)
    return JsonResponse({"items": [invite_json(invite) for invite in found], "next_cursor": None})


@router.post("/invites", status_code=201, operation_id="createInvite", response_model=NewInviteView)
async def create_invite(principal: ApiAdmin, session: WriteSession, body: InviteCreate | None = None) -> Response:
    """For one person, for a week; the secret is in this answer and nowhere else."""
    label = body.label if body is not None else ""
    invite, secret = await invites.create_invite(session, principal.user_id, label=label)
    return JsonResponse({**invite_json(invite), "invite": secret}, 201, {"Location": "/api/v1/auth/register"})


@router.delete("/invites/{invite_id}", status_code=204, operation_id="revokeInvite")
async def revoke_invite(invite_id: PathId, principal: ApiAdmin, session: WriteSession) -> Response:
    await invites.revoke_invite(session, invite_id)
    return Response(status_code=204)

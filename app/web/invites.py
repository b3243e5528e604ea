"""Invitations: make one, show its link once, take one back."""

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from app.accounts.invites import create_invite, list_invites, revoke_invite
from app.accounts.signup import signup_mode
from app.errors import AppError
from app.http.csrf import verify_csrf
from app.http.deps import WriteSession
from app.ids import parse_id
from app.web.admin import AdminVisit
from app.web.context import PathId, Visit
from app.web.flash import flash
from app.web.forms import FormState, Key, Text, refused

router = APIRouter(prefix="/admin/invites")
checked = [Depends(verify_csrf)]


@router.get("")
async def index(visit: AdminVisit) -> Response:
    return await _page(visit)


@router.post("", dependencies=checked)
async def create(visit: AdminVisit, label: Text = "", idempotency_key: Key = "") -> Response:
    """The page with the link: it is in this answer and nowhere else. Sent again, the form makes no second one."""
    try:
        async with visit.services.database.transaction() as session:
            _, secret = await create_invite(
                session, visit.principal.user_id, label=label, invite_id=parse_id(idempotency_key)
            )
    except AppError as error:
        return await _page(visit, form=refused(error, label=label))
    link = f"{_base(visit)}/register?invite={secret}"
    return await _page(visit, form=FormState(status=201), link=link)


def _base(visit: Visit) -> str:
    return visit.services.settings.public_url or str(visit.request.base_url).rstrip("/")


@router.post("/{invite_id}/revoke", dependencies=checked)
async def revoke(visit: AdminVisit, session: WriteSession, invite_id: PathId) -> Response:
    await revoke_invite(session, invite_id)
    response = RedirectResponse("/admin/invites", 303)
    flash(visit.request, response, "invite_revoked")
    return response


async def _page(visit: Visit, *, form: FormState | None = None, link: str = "") -> Response:
    # Of the moment after one was made, which the session of this request may not see.
    async with visit.services.database.read() as session:
        invites = await list_invites(session)
        mode = await signup_mode(session, visit.services.settings)
    sidebar = await visit.sidebar()
    headers = {"Cache-Control": "no-store"}
    return visit.page(
        "invites/index.html",
        headers=headers,
        sidebar=sidebar,
        tab="invites",
        invites=invites,
        mode=mode,
        link=link,
        form=form,
    )

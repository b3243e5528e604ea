"""Take one's own account away, with everything in it."""

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from app.accounts.service import is_last_admin
from app.conversations.counting import count_of
from app.errors import AppError
from app.http.account_ends import delete_account
from app.http.csrf import verify_csrf
from app.http.signing_in import clear_left_session, confirm_password
from app.web.context import Visit, VisitDep
from app.web.flash import flash
from app.web.forms import FormState, Text, refused

router = APIRouter(prefix="/settings/delete")
checked = [Depends(verify_csrf)]


@router.get("")
async def ask(visit: VisitDep) -> Response:
    """Names what will be lost."""
    return await _page(visit)


@router.post("", dependencies=checked)
async def delete(visit: VisitDep, password: Text = "") -> Response:
    try:
        await confirm_password(visit.services, visit.request, visit.principal.user_id, password)
        await delete_account(visit.services, visit.principal.user_id)
    except AppError as error:
        return await _page(visit, refused(error))
    response = RedirectResponse("/login", 303)
    clear_left_session(response, visit.services, visit.principal.user_id)
    flash(visit.request, response, "account_deleted")
    return response


async def _page(visit: Visit, form: FormState | None = None) -> Response:
    conversations, messages = await count_of(visit.session, visit.principal.user_id)
    stays = await is_last_admin(visit.session, visit.principal.user_id)
    sidebar = await visit.sidebar()
    lost = {"conversations": conversations, "messages": messages}
    return visit.page("settings/delete.html", sidebar=sidebar, tab="account", stays=stays, form=form, **lost)

"""Users as administrators see them: list, create, change, disable, reset a password, delete."""

from typing import cast

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from app.accounts.administration import create_account, reset_password
from app.accounts.models import Role
from app.accounts.service import get_user, is_last_admin, list_users
from app.conversations.counting import count_of
from app.conversations.storage import storage_of
from app.errors import AppError, ErrorKind, invalid
from app.generations.allowance import of_today
from app.http.account_ends import change_account, delete_account
from app.http.csrf import verify_csrf
from app.ids import parse_id
from app.web.admin import AdminVisit, SomeId
from app.web.context import PathId, Visit
from app.web.flash import flash
from app.web.forms import Choice, FormState, Text, refused

router = APIRouter(prefix="/admin/users")
checked = [Depends(verify_csrf)]

LISTED = 50


@router.get("")
async def index(visit: AdminVisit, after: SomeId = None) -> Response:
    """Oldest first."""
    found = await list_users(visit.session, after=after and parse_id(after), limit=LISTED + 1)
    users = found[:LISTED]
    following = users[-1].id if len(found) > LISTED else None
    sidebar = await visit.sidebar()
    return visit.page(
        "users/index.html", sidebar=sidebar, tab="users", users=users, following=following, is_first=after is None
    )


@router.get("/new")
async def show_new(visit: AdminVisit) -> Response:
    return await _new_page(visit, FormState({"role": "member"}))


@router.post("", dependencies=checked)
async def create(
    visit: AdminVisit, username: Text = "", email: Text = "", password: Text = "", role: Choice = "member"
) -> Response:
    try:
        await create_account(visit.services.database, username, email, password, _role(role))
    except AppError as error:
        return await _new_page(visit, refused(error, username=username, email=email, role=role))
    return _back(visit, "/admin/users", "user_created")


async def _new_page(visit: Visit, form: FormState) -> Response:
    return visit.page("users/new.html", sidebar=await visit.sidebar(), tab="users", form=form)


def _role(role: str) -> Role:
    if role not in ("admin", "member"):
        raise invalid("unknown_role", "Somebody is a member or an administrator.", "/role")
    return cast(Role, role)


@router.get("/{user_id}")
async def show(visit: AdminVisit, user_id: PathId) -> Response:
    return await _page(visit, user_id)


@router.post("/{user_id}/role", dependencies=checked)
async def change_role(visit: AdminVisit, user_id: PathId, role: Choice = "") -> Response:
    try:
        await change_account(visit.services, user_id, {"role": _role(role)})
    except AppError as error:
        return await _page(visit, user_id, refused(error))
    if user_id == visit.principal.user_id and role != "admin":
        return RedirectResponse("/", 303)  # these pages are not for them any more
    return _back(visit, f"/admin/users/{user_id}", "saved")


@router.post("/{user_id}/disable", dependencies=checked)
async def disable(visit: AdminVisit, user_id: PathId) -> Response:
    """Signs them out everywhere; what they wrote stays."""
    return await _set_disabled(visit, user_id, True)


@router.post("/{user_id}/enable", dependencies=checked)
async def enable(visit: AdminVisit, user_id: PathId) -> Response:
    return await _set_disabled(visit, user_id, False)


async def _set_disabled(visit: Visit, user_id: str, disabled: bool) -> Response:
    try:
        await change_account(visit.services, user_id, {"disabled": disabled})
    except AppError as error:
        return await _page(visit, user_id, refused(error))
    return _back(visit, f"/admin/users/{user_id}", "saved")


@router.post("/{user_id}/password", dependencies=checked)
async def set_new_password(visit: AdminVisit, user_id: PathId, password: Text = "") -> Response:
    """Theirs from now on, and nobody is signed in with the old one."""
    try:
        _refuse_oneself(visit, user_id)
        await reset_password(visit.services.database, user_id, password)
    except AppError as error:
        return await _page(visit, user_id, refused(error))
    return _back(visit, f"/admin/users/{user_id}", "password_reset")


@router.get("/{user_id}/delete")
async def ask_to_delete(visit: AdminVisit, user_id: PathId) -> Response:
    """Names what will be lost."""
    return await _deletion_page(visit, user_id)


@router.post("/{user_id}/delete", dependencies=checked)
async def delete(visit: AdminVisit, user_id: PathId) -> Response:
    try:
        _refuse_oneself(visit, user_id)
        await delete_account(visit.services, user_id)
    except AppError as error:
        return await _deletion_page(visit, user_id, refused(error))
    return _back(visit, "/admin/users", "user_deleted")


async def _deletion_page(visit: Visit, user_id: str, form: FormState | None = None) -> Response:
    user = await get_user(visit.session, user_id)
    stays = await is_last_admin(visit.session, user_id)
    conversations, messages = await count_of(visit.session, user_id)
    lost = {"conversations": conversations, "messages": messages}
    sidebar = await visit.sidebar()
    return visit.page("users/delete.html", sidebar=sidebar, tab="users", user=user, stays=stays, form=form, **lost)


async def _page(visit: Visit, user_id: str, form: FormState | None = None) -> Response:
    # Of this moment: the session of the request may have looked before something was changed.
    async with visit.services.database.read() as session:
        user = await get_user(session, user_id)
        stays = await is_last_admin(session, user_id)
        today = await of_today(session, user_id, visit.services.settings.max_tokens_per_day)
        storage = await storage_of(session, user_id, visit.services.settings.max_storage_per_user)
    sidebar = await visit.sidebar()
    had = {"today": today, "storage": storage}
    return visit.page("users/show.html", sidebar=sidebar, tab="users", user=user, stays=stays, form=form, **had)


def _refuse_oneself(visit: Visit, user_id: str) -> None:
    """What asks for one's password in the settings must not go without it here."""
    if user_id == visit.principal.user_id:
        raise AppError(ErrorKind.conflict, "oneself", "For your own account this is done in your settings.")


def _back(visit: Visit, path: str, code: str) -> Response:
    response = RedirectResponse(path, 303)
    flash(visit.request, response, code)
    return response

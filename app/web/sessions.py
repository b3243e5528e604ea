"""Sign in, sign out."""

from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse, Response

from app.accounts.service import list_users
from app.accounts.sessions import end_session
from app.accounts.signup import signup_mode
from app.errors import AppError, invalid
from app.http.authentication import OptionalPagePrincipal, PagePrincipal
from app.http.csrf import verify_csrf
from app.http.deps import ReadSession, Services, ServicesDep, WriteSession
from app.http.signing_in import clear_left_session, clear_session_cookie, set_device_cookie, set_session_cookie, sign_in
from app.i18n import known_locale
from app.web.forms import Choice, FormState, Invitation, Path, Text, refused, safe_next
from app.web.preferences import keep_locale
from app.web.templates import page

router = APIRouter()


@router.get("/login")
async def show_login(
    request: Request,
    principal: OptionalPagePrincipal,
    session: ReadSession,
    services: ServicesDep,
    next: str = "/",
) -> Response:
    """The very first visitor is led to making an account instead."""
    if principal is not None:
        return RedirectResponse(safe_next(next), 303)
    if await nobody_yet(session):
        return RedirectResponse("/register", 303)
    return await _form(request, session, services, FormState(), safe_next(next))


@router.post("/login", dependencies=[Depends(verify_csrf)])
async def login(
    request: Request,
    session: ReadSession,
    services: ServicesDep,
    username: Text = "",
    password: Text = "",
    next: Path = "/",
) -> Response:
    try:
        _, started = await sign_in(services, request, username, password, kind="page")
    except AppError as error:
        form = refused(error, username=username)
        return await _form(request, session, services, form, safe_next(next))
    response = RedirectResponse(safe_next(next), 303)
    set_session_cookie(response, services, started)
    set_device_cookie(response, services, started.user_id)
    return response


@router.post("/logout", dependencies=[Depends(verify_csrf)])
async def logout(principal: PagePrincipal, session: WriteSession, services: ServicesDep) -> Response:
    if principal.session_id is not None:
        await end_session(session, principal.session_id)
    response = RedirectResponse("/login", 303)
    clear_left_session(response, services, principal.user_id)
    return response


@router.post("/language", dependencies=[Depends(verify_csrf)])
async def choose_language(
    request: Request, page: Choice = "", locale: Choice = "", next: Path = "", invite: Invitation = ""
) -> Response:
    """Of the pages before one is signed in; `next` and `invite` are what the form beside it would send."""
    chosen = known_locale(locale)
    if chosen is None:
        raise invalid("unknown_language", "There are no pages in that language.", "/locale")
    kept = {"invite": invite} if page == "register" else {"next": safe_next(next)}
    query = urlencode({name: value for name, value in kept.items() if value not in ("", "/")})
    path = "/register" if page == "register" else "/login"
    response = RedirectResponse(f"{path}?{query}" if query else path, 303)
    keep_locale(request, response, chosen)
    return response


async def _form(request: Request, session: AsyncSession, services: Services, form: FormState, target: str) -> Response:
    mode = await signup_mode(session, services.settings)
    response = page(request, "sessions/new.html", principal=None, form=form, next=target, mode=mode)
    return signed_out(services, response)


def signed_out(services: Services, response: Response) -> Response:
    """A cookie whose session is over would be taken for the one that the form's token is bound to."""
    clear_session_cookie(response, services)
    return response


async def nobody_yet(session: AsyncSession) -> bool:
    """Whether the next to register administers."""
    return not await list_users(session, limit=1)

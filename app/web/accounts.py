"""Register."""

from fastapi import APIRouter, Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse, Response

from app.accounts.sessions import start_session
from app.accounts.signup import signup_mode
from app.errors import AppError
from app.http.authentication import OptionalPagePrincipal
from app.http.csrf import verify_csrf
from app.http.deps import ReadSession, Services, ServicesDep
from app.http.signing_in import address_of, set_device_cookie, set_session_cookie, sign_up
from app.web.chat_models import servers_of
from app.web.forms import FormState, Invitation, Text, refused
from app.web.preferences import preferences_of
from app.web.sessions import nobody_yet, signed_out
from app.web.templates import page

router = APIRouter()


@router.get("/register")
async def show_register(
    request: Request, principal: OptionalPagePrincipal, session: ReadSession, services: ServicesDep, invite: str = ""
) -> Response:
    if principal is not None:
        return RedirectResponse("/", 303)
    return await _form(request, session, services, FormState({"invite": invite}))


@router.post("/register", dependencies=[Depends(verify_csrf)])
async def register(
    request: Request,
    session: ReadSession,
    services: ServicesDep,
    username: Text = "",
    email: Text = "",
    password: Text = "",
    invite: Invitation = "",
) -> Response:
    """Whoever has registered is signed in."""
    try:
        locale = preferences_of(request, None).locale
        user = await sign_up(services, request, username, email, password, invite or None, locale=locale)
    except AppError as error:
        form = refused(error, username=username, email=email, invite=invite)
        return await _form(request, session, services, form)
    agent = request.headers.get("user-agent", "")
    async with services.database.transaction() as writing:
        started = await start_session(writing, user.id, kind="page", user_agent=agent, address=address_of(request))
    response = RedirectResponse("/", 303)
    set_session_cookie(response, services, started)
    set_device_cookie(response, services, user.id)
    return response


async def _form(request: Request, session: AsyncSession, services: Services, form: FormState) -> Response:
    """For the very first, also what there is to talk to."""
    is_first = await nobody_yet(session)
    mode = await signup_mode(session, services.settings)
    await session.close()
    servers = servers_of(services, await services.providers.models()) if is_first else []
    is_open = is_first or mode == "open" or (mode == "invite" and bool(form.value("invite")))
    response = page(
        request,
        "accounts/new.html",
        principal=None,
        form=form,
        is_first=is_first,
        mode=mode,
        is_open=is_open,
        servers=servers,
    )
    return signed_out(services, response)

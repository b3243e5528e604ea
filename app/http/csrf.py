"""Unsafe page requests come from our own pages: a token bound to the session, and the Origin as second line."""

import secrets
from datetime import timedelta

from fastapi import Request, Response

from app.accounts.principal import Principal
from app.errors import AppError, ErrorKind
from app.http.authentication import OptionalPagePrincipal
from app.http.deps import Services, get_services
from app.http.origin import same_origin, single_cookie
from app.i18n import worded
from app.security import signing

COOKIE = "teahouse_csrf"
FIELD, HEADER = "csrf_token", "x-csrf-token"
LIFE = timedelta(days=30)
PURPOSE = "csrf"
SIGNED_OUT = frozenset({"/login", "/logout", "/register", "/language"})  # forms that need no sign-in
TYPED = ("content", "system_prompt", "title", "name")  # fields that hold a person's own words, and no secret
ENDED = worded("Your sign-in has ended. Sign in again; what you wrote is still here.")


def _cookie_name(services: Services) -> str:
    return f"__Host-{COOKIE}" if services.settings.is_https else COOKIE


def csrf_token(request: Request, principal: Principal | None) -> str:
    """The token for forms and the HTMX header of this page. Signed out, it hangs on a cookie of its own:

    call `set_csrf_cookie` on the response then.
    """
    services = get_services(request)
    if principal is not None and principal.session_id is not None:
        return signing.sign_detached(services.keyring, PURPOSE, principal.session_id)
    nonce = single_cookie(request, _cookie_name(services)) or getattr(request.state, "csrf_nonce", None)
    if not nonce:
        nonce = request.state.csrf_nonce = secrets.token_urlsafe(24)
    return signing.sign_detached(services.keyring, PURPOSE, nonce)


def set_csrf_cookie(request: Request, response: Response) -> None:
    """Only when this request made a new one."""
    nonce = getattr(request.state, "csrf_nonce", None)
    if nonce:
        services = get_services(request)
        response.set_cookie(
            _cookie_name(services),
            nonce,
            path="/",
            httponly=True,
            samesite="lax",
            secure=services.settings.is_https,
        )


async def verify_csrf(request: Request, principal: OptionalPagePrincipal) -> None:
    """A dependency of every unsafe page route. A cookie whose session is over binds nothing, as in `csrf_token`."""
    services = get_services(request)
    _check_origin(request)
    token = request.headers.get(HEADER)
    if token is None:
        form = await request.form()
        field = form.get(FIELD)
        token = field if isinstance(field, str) else None
    signed_in = principal is not None and principal.session_id is not None
    bound_to = principal.session_id if principal and signed_in else single_cookie(request, _cookie_name(services))
    if token and bound_to and signing.verify_detached(services.keyring, PURPOSE, bound_to, token, LIFE):
        return
    if signed_in or request.url.path in SIGNED_OUT:
        raise refused()
    # Nothing typed is lost: the page of this error has it.
    form = await request.form()
    request.state.typed = [value for name in TYPED if isinstance(value := form.get(name), str) and value.strip()]
    raise AppError(ErrorKind.unauthenticated, "sign_in_ended", ENDED)


def _check_origin(request: Request) -> None:
    if not same_origin(request):
        raise refused()


def refused() -> AppError:
    detail = worded("The form is out of date or did not come from this site. Go back, reload and try again.")
    return AppError(ErrorKind.forbidden, "csrf", detail)

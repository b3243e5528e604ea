"""Sign in and out, for both faces: the throttle, the password, one session row, one cookie."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from fastapi import Request, Response
from starlette.types import Scope

from app.accounts import sessions
from app.accounts.models import Session, SessionKind, User
from app.accounts.passwords import check_current, check_login, refuse_if_changed
from app.accounts.principal import Principal
from app.accounts.service import check_account, check_password, fold, register, set_password, user_id_of
from app.accounts.signup import signup_mode
from app.accounts.throttling import Attempt, network_of
from app.clock import utcnow
from app.errors import AppError, ErrorKind
from app.http.deps import Services
from app.http.origin import from_own_page, single_cookie
from app.security import hashing, signing

COOKIE = "teahouse_session"
COOKIE_LIFE = timedelta(days=30)
LEFT = "teahouse_left"
DEVICE = "teahouse_device"
DEVICE_LIFE = timedelta(days=365)
PURPOSE = "session"


def cookie_name(services: Services, name: str = COOKIE) -> str:
    """The prefix makes browsers refuse a cookie that a sub-domain or plain http would set."""
    return f"__Host-{name}" if services.settings.is_https else name


def address_of(request: Request) -> str:
    """As the trusted proxy says, if there is one (the edge has seen to it)."""
    return request.client.host if request.client else ""


async def sign_in(
    services: Services, request: Request, login: str, password: str, *, kind: SessionKind
) -> tuple[User, Session]:
    """A new session of the user of that name and password; raises `wrong_credentials` or `rate_limited`."""
    address, folded = address_of(request), fold(login.strip())
    user_id = await user_id_of(services.database.lookup, folded)

    async def is_at_home() -> bool:
        known = await sessions.addresses_of(services.database.lookup, user_id) if user_id else []
        return network_of(address) in map(network_of, known)

    # By name, by address and where a password is confirmed: one account has one count of failures.
    account = f"user {user_id}" if user_id else f"name {folded}"
    on_own_device = user_id is not None and _device_of(request, services) == user_id
    attempt = await services.throttle.admit_sign_in(account, address, is_at_home, on_own_device=on_own_device)
    with _told(attempt, ErrorKind.unauthenticated):
        user = await check_login(services.database, login, password)
    replaced = session_id_of(request, services) if kind == "page" or from_own_page(request) else None
    async with services.database.transaction() as session:
        await refuse_if_changed(session, user)
        if replaced is not None:
            # Its cookie is about to be written over: nothing may be left that signs in by the old one.
            await sessions.end_session(session, replaced)
        started = await sessions.start_session(
            session, user.id, kind=kind, user_agent=request.headers.get("user-agent", ""), address=address
        )
    return user, started


async def confirm_password(services: Services, request: Request, user_id: str, password: str) -> None:
    """Raise unless it is this user's password; guessing is as slow here as at the sign-in."""
    address, account = address_of(request), f"user {user_id}"
    attempt = services.throttle.begin_sign_in(account, address)
    with _told(attempt, ErrorKind.forbidden):
        await check_current(services.database, user_id, password)


async def require_recent_password(
    services: Services, request: Request, principal: Principal, password: str
) -> Principal:
    """The principal, once the password was given: in the last ten minutes, or as `password` now.

    Raises `password_needed` or `wrong_password`.
    """
    if principal.has_confirmed or principal.session_id is None or not password:
        principal.require_recent_password()
        return principal
    return await confirm(services, request, principal, password)


async def confirm(services: Services, request: Request, principal: Principal, password: str) -> Principal:
    """The password of a sign-in, given again. Raises `wrong_password`."""
    principal.require_session()
    await confirm_password(services, request, principal.user_id, password)
    async with services.database.transaction() as session:
        await sessions.confirm_session(session, principal.session_id or "")
    return replace(principal, confirmed_at=utcnow())


@contextmanager
def _told(attempt: Attempt, wrong: ErrorKind) -> Iterator[None]:
    """How looking at the password ends; `wrong` is what a wrong one raises."""
    try:
        yield
    except AppError as error:
        (attempt.failed if error.kind is wrong else attempt.undecided)()
        raise
    except BaseException:
        attempt.undecided()
        raise
    attempt.succeeded()


async def change_password(services: Services, request: Request, principal: Principal, current: str, new: str) -> None:
    """Every other sign-in and every API key ends."""
    check_password(new, "/new_password")
    await confirm_password(services, request, principal.user_id, current)
    hashed = await hashing.hash_password(new)
    async with services.database.transaction() as session:
        await set_password(session, principal.user_id, hashed, keep_session=principal.session_id)
        await sessions.confirm_session(session, principal.session_id or "")


async def sign_up(
    services: Services,
    request: Request,
    username: str,
    email: str,
    password: str,
    invite: str | None = None,
    *,
    locale: str = "en",
) -> User:
    """A new user, by registration; the password is hashed before the transaction, which would hold up every writer."""
    name, address = check_account(username, email, password)
    services.throttle.count_registration(address_of(request))
    password_hash = await hashing.hash_password(password)
    async with services.database.transaction() as session:
        return await register(
            session,
            username=name,
            email=address,
            password_hash=password_hash,
            signup=await signup_mode(session, services.settings),
            invite=invite,
            locale=locale,
        )


def set_session_cookie(response: Response, services: Services, session: Session) -> None:
    _set(response, services, COOKIE, signing.sign(services.keyring, PURPOSE, session.id), COOKIE_LIFE)


def set_device_cookie(response: Response, services: Services, user_id: str) -> None:
    """By which this device is known again after signing out."""
    _set(response, services, DEVICE, signing.sign(services.keyring, DEVICE, user_id), DEVICE_LIFE)


def _set(response: Response, services: Services, name: str, value: str, life: timedelta) -> None:
    response.set_cookie(
        cookie_name(services, name),
        value,
        max_age=int(life.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=services.settings.is_https,
    )


def _device_of(request: Request, services: Services) -> str | None:
    """The user who signed in last on this device."""
    value = single_cookie(request, cookie_name(services, DEVICE))
    return signing.unsign(services.keyring, DEVICE, value, DEVICE_LIFE) if value else None


def clear_session_cookie(response: Response, services: Services) -> None:
    response.delete_cookie(
        cookie_name(services), path="/", httponly=True, samesite="lax", secure=services.settings.is_https
    )


def clear_left_session(response: Response, services: Services, user_id: str) -> None:
    """Of somebody who goes, other than of a session that is over: the browser's scripts delete what they kept for them,
    then or when there next are any. They delete this cookie, too (static/js/storage.js)."""
    clear_session_cookie(response, services)
    life = int(COOKIE_LIFE.total_seconds())
    response.set_cookie(LEFT, user_id, max_age=life, path="/", samesite="lax", secure=services.settings.is_https)


def is_stranger(scope: Scope) -> bool:
    """Whether no session's cookie came with a request, as far as its signature tells."""
    return session_id_of(Request(scope), scope["app"].state.services) is None


def session_id_of(request: Request, services: Services) -> str | None:
    """The signed id in the one session cookie."""
    value = single_cookie(request, cookie_name(services))
    return signing.unsign(services.keyring, PURPOSE, value, COOKIE_LIFE) if value else None

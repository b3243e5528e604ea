"""Where one is signed in, and signing out there."""

import re

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from app.accounts.models import Session
from app.accounts.sessions import list_sessions, revoke_others, revoke_session
from app.errors import AppError
from app.http.csrf import verify_csrf
from app.i18n import gettext
from app.web.confirmation import confirmed
from app.web.context import PathId, Visit, VisitDep
from app.web.flash import flash
from app.web.forms import FormState, Password, refused

router = APIRouter(prefix="/settings/devices")
checked = [Depends(verify_csrf)]

# Those that call themselves by others' names come first.
BROWSERS = (
    (r"\bEdgA?/|\bEdgiOS/", "Edge"),
    (r"\bOPR/|\bOpera", "Opera"),
    (r"\bSamsungBrowser/", "Samsung Internet"),
    (r"\bVivaldi/", "Vivaldi"),
    (r"\bMicroMessenger/", "WeChat"),
    (r"\bFirefox/|\bFxiOS/", "Firefox"),
    (r"\bChromium/", "Chromium"),
    (r"\b(Headless)?Chrome/|\bCriOS/", "Chrome"),
    (r"\bSafari/", "Safari"),
    (r"^curl/", "curl"),
    (r"^(python-)?httpx|^python-requests|^aiohttp|^Python-urllib", "Python"),
    (r"^teahouse\b", "teahouse"),
)
SYSTEMS = (
    (r"\biPhone\b", "iPhone"),
    (r"\biPad\b", "iPad"),
    (r"\bAndroid\b", "Android"),
    (r"\bCrOS\b", "ChromeOS"),
    (r"\bWindows\b", "Windows"),
    (r"\bMac OS X\b|\bMacintosh\b", "macOS"),
    (r"\bLinux\b|\bX11\b", "Linux"),
)


@router.get("")
async def index(visit: VisitDep) -> Response:
    return await _page(visit)


async def _page(visit: Visit, form: FormState | None = None) -> Response:
    """`form`: why nothing was signed out."""
    devices = await list_sessions(visit.session, visit.principal.user_id)
    devices = sorted(devices, key=lambda device: device.id != visit.principal.session_id)
    sidebar = await visit.sidebar()
    here = visit.principal.session_id
    return visit.page(
        "settings/devices.html",
        sidebar=sidebar,
        tab="devices",
        devices=devices,
        name_of=device_name,
        here=here,
        form=form or FormState(),
    )


@router.post("/others/sign-out", dependencies=checked)
async def sign_out_others(visit: VisitDep, your_password: Password = "") -> Response:
    """Everywhere but here."""
    try:
        visit = await confirmed(visit, your_password)
        async with visit.services.database.transaction() as session:
            await revoke_others(session, visit.principal.user_id, keep=visit.principal.session_id)
    except AppError as error:
        return await _page(visit, refused(error))
    return _back(visit, "devices_signed_out")


@router.post("/{session_id}/sign-out", dependencies=checked)
async def sign_out(visit: VisitDep, session_id: PathId, your_password: Password = "") -> Response:
    try:
        visit = await confirmed(visit, your_password)
        async with visit.services.database.transaction() as session:
            await revoke_session(session, visit.principal.user_id, session_id)
    except AppError as error:
        return await _page(visit, refused(error))
    return _back(visit, "device_signed_out")


def _back(visit: Visit, code: str) -> Response:
    response = RedirectResponse("/settings/devices", 303)
    flash(visit.request, response, code)
    return response


def device_name(device: Session) -> str:
    """“Firefox on Linux”, as far as its user agent tells."""
    agent = device.user_agent
    browser, system = _first(BROWSERS, agent), _first(SYSTEMS, agent)
    if browser and system:
        return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or (gettext("A program") if device.kind == "api" else gettext("An unknown browser"))


def program_of(user_agent: str) -> str:
    """“Python”, or how else a program calls itself."""
    return _first(BROWSERS, user_agent) or user_agent.partition(" ")[0][:40] or gettext("A program")


def _first(known: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for pattern, name in known if re.search(pattern, agent)), "")

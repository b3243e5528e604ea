"""Where one is signed in, and signing out there."""

import re

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from app.accounts.models import Session
from app.accounts.sessions import list_sessions, revoke_others, revoke_session
from app.http.csrf import verify_csrf
from app.http.deps import WriteSession
from app.i18n import gettext
from app.web.context import PathId, Visit, VisitDep
from app.web.flash import flash

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
    devices = await list_sessions(visit.session, visit.principal.user_id)
    devices = sorted(devices, key=lambda device: device.id != visit.principal.session_id)
    sidebar = await visit.sidebar()
    here = visit.principal.session_id
    return visit.page(
        "settings/devices.html", sidebar=sidebar, tab="devices", devices=devices, name_of=device_name, here=here
    )


@router.post("/others/sign-out", dependencies=checked)
async def sign_out_others(visit: VisitDep, session: WriteSession) -> Response:
    """Everywhere but here."""
    await revoke_others(session, visit.principal.user_id, keep=visit.principal.session_id)
    return _back(visit, "devices_signed_out")


@router.post("/{session_id}/sign-out", dependencies=checked)
async def sign_out(visit: VisitDep, session: WriteSession, session_id: PathId) -> Response:
    await revoke_session(session, visit.principal.user_id, session_id)
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


def _first(known: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for pattern, name in known if re.search(pattern, agent)), "")

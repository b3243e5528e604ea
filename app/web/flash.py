"""What the page after a redirect says once: a code in a short-lived cookie, its sentence in the page's language."""

import re

from fastapi import Request, Response

from app.http.deps import get_services
from app.http.origin import single_cookie
from app.i18n import worded

COOKIE = "teahouse_notice"
SECONDS = 60
NOTICES = {
    "saved": worded("Saved."),
}
_SPELLING = re.compile(r"([a-z_]{1,40})(?:\.([0-9a-f-]{36}))?")


def flash(request: Request, response: Response, code: str, subject: str = "") -> None:
    """`subject` is the id of what it is about, for a notice with a way back."""
    assert code in NOTICES
    secure = get_services(request).settings.is_https
    value = f"{code}.{subject}" if subject else code
    response.set_cookie(COOKIE, value, max_age=SECONDS, path="/", httponly=True, samesite="lax", secure=secure)


def flashed(request: Request) -> tuple[str, str] | None:
    """(code, subject) of the notice that the request before left."""
    found = _SPELLING.fullmatch(single_cookie(request, COOKIE) or "")
    return (found[1], found[2] or "") if found and found[1] in NOTICES else None


def forget(response: Response) -> None:
    response.delete_cookie(COOKIE, path="/")

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
    "conversation_deleted": worded("Conversation deleted."),
    "conversation_archived": worded("Conversation archived."),
    "conversation_unarchived": worded("The conversation is back in the list."),
    "password_changed": worded("Your password is changed. Other devices are signed out, and your API keys have ended."),
    "key_revoked": worded("The key is revoked."),
    "device_signed_out": worded("The device is signed out."),
    "devices_signed_out": worded("Your other devices are signed out."),
    "account_deleted": worded("Your account is deleted."),
    "user_created": worded("The user can sign in now."),
    "user_deleted": worded("The user is deleted."),
    "password_reset": worded("The new password is set. The user is signed out everywhere."),
    "invite_revoked": worded("The invitation is no longer good."),
    "job_cancelled": worded("It will stop."),
    "job_retried": worded("It is being tried again."),
    "pull_began": worded("The download has begun."),
    "model_deleted": worded("The model is deleted."),
    "model_unloaded": worded("The model's memory is free again."),
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

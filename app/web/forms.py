"""What people type, and what is wrong with it, beside the field."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import unquote, urlsplit

from fastapi import Form, Request

from app.errors import AppError, ErrorKind, invalid
from app.generations.service import Accepted, Once
from app.http.errors import STATUS_OF_CODE, STATUS_OF_KIND
from app.i18n import worded
from app.jobs.idempotency import check_key, fingerprint
from app.providers.base import MAX_LISTED_ID
from app.security.hashing import MAX_PASSWORD

MAX_CONTENT = 100_000
MAX_TITLE = 200
NEVER_NEXT = frozenset({"/login", "/logout", "/register"})

# The domain checks the length, so that the form shows what was typed again, with the reason.
Text = Annotated[str, Form()]
# What nobody types is as long as the API takes it.
Key = Annotated[str, Form(max_length=255)]  # an Idempotency-Key
Choice = Annotated[str, Form(max_length=64)]  # one of a few
Password = Annotated[str, Form(max_length=MAX_PASSWORD)]  # to be compared only
Invitation = Annotated[str, Form(max_length=100)]
ModelId = Annotated[str, Form(max_length=MAX_LISTED_ID)]
Path = Annotated[str, Form(max_length=2000)]  # where to go next


@dataclass(frozen=True, slots=True)
class FormState:
    """A form as it is drawn: what was typed, and the errors by field ("" = of the whole form).

    `status` and `headers` are what the problem would have answered with.
    """

    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def value(self, name: str) -> str:
        return self.values.get(name, "")

    def error(self, name: str) -> str:
        return self.errors.get(name, "")


def refused(error: AppError, **values: str) -> FormState:
    """The form again after `error`; raises it when it is not about the input or the moment."""
    if error.kind in (ErrorKind.not_found, ErrorKind.unauthenticated) and error.code != "wrong_credentials":
        raise error
    named = {item.pointer.strip("/"): item.message for item in error.errors}
    known = {name: message for name, message in named.items() if name in values or name == "password"}
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    status = STATUS_OF_CODE.get(error.code, STATUS_OF_KIND[error.kind])
    return FormState(values, known or {"": error.detail}, status, headers)


def clean_content(text: str) -> str:
    """A message as it was typed: browsers send line ends as CRLF."""
    text = _clean(text, "/content")
    if not text.strip():
        raise invalid("blank", "A message needs some text.", "/content")
    if len(text) > MAX_CONTENT:
        detail = worded(
            "A message has at most {most:,} characters; this one has {length:,}.", most=MAX_CONTENT, length=len(text)
        )
        raise invalid("too_long", detail, "/content")
    return text


def clean_title(text: str) -> str:
    text = " ".join(_clean(text, "/title").split())
    if not 0 < len(text) <= MAX_TITLE:
        raise invalid("invalid_title", worded("A title has 1 to {most} characters.", most=MAX_TITLE), "/title")
    return text


def _clean(text: str, pointer: str) -> str:
    if "\0" in text:
        raise invalid("invalid_text", "This text has characters that cannot be stored.", pointer)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def once_of(request: Request, key: str, content: str, present: Callable[[Accepted], str]) -> Once | None:
    """The form's hidden key together with what it sends: Back, other words and Send again is another message."""
    if not key:
        return None
    wanted = fingerprint(request.method, request.scope["path"], content.encode())
    return Once(f"{check_key(key)[:64]}-{hashlib.sha256(wanted.encode()).hexdigest()[:32]}", wanted, present)


def safe_next(target: str) -> str:
    """Where to go after signing in: a path of this site, else the first page."""
    seen = [target, unquote(target), unquote(unquote(target))]
    if any(text.startswith("//") or not text.isprintable() or "\\" in text for text in seen):
        return "/"
    try:
        parts = urlsplit(target)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or not parts.path.startswith("/") or parts.path in NEVER_NEXT:
        return "/"
    return f"{parts.path}?{parts.query}" if parts.query else parts.path

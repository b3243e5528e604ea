"""From what went wrong on the wire to an error's name; quotes the server briefly and never our key."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from app.clock import utcnow
from app.providers.errors import (
    ContextOverflow,
    CredentialsRefused,
    ModelNotFound,
    ProviderBusy,
    ProviderError,
    ProviderFailed,
    ProviderProtocolError,
    ProviderRejected,
    ProviderUnavailable,
)

MAX_QUOTE = 200
MAX_RETRY_AFTER = 300.0
_OVERFLOW = re.compile(
    r"exceed_context_size|context_length_exceeded|context (length|size|window)|prompt is too long",
    re.IGNORECASE,
)
_TAGS = re.compile(r"<[^>]{0,1000}>")
_NOT_SERVED = (501, 505)  # 5xx that a retry would not change


def quote(text: str, secret: str = "") -> str:
    """At most 200 characters on one line, without markup, control characters and the key."""
    text = _TAGS.sub(" ", text[: 20 * MAX_QUOTE])
    if secret:
        text = text.replace(secret, "…")
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= MAX_QUOTE else text[: MAX_QUOTE - 1] + "…"


def explanation(body: bytes) -> str:
    """The server's own words in an error body, or the body."""
    try:
        return message_of(orjson.loads(body))
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")


def message_of(body: Any) -> str:
    """The message of an error object, in any of its spellings."""
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(error, dict):
        words = (error.get(name) for name in ("message", "detail", "error", "code"))
        return next((word for word in words if isinstance(word, str) and word), "") or str(error)
    return error if isinstance(error, str) else str(error)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from a number or a date, clamped into 0…300; garbage is no answer."""
    spelled = headers.get("Retry-After", "").strip()
    if not spelled:
        return None
    try:
        seconds = float(spelled)
    except ValueError:
        try:
            moment = parsedate_to_datetime(spelled)
        except (ValueError, IndexError, OverflowError):
            return None
        seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _now()).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER) if seconds == seconds else None


def _now() -> datetime:
    return utcnow()


def from_status(
    status: int, body: bytes, headers: Mapping[str, str], server: str, *, secret: str = "", began: bool = False
) -> ProviderError:
    """The error that a response's status stands for."""
    words = explanation(body)
    said = quote(words, secret) or f"status {status}"
    wait = retry_after(headers)
    if status == 429:
        return ProviderBusy(f"{server} is busy: {said}", retry_after=wait, began=began)
    if status in (401, 403):
        return CredentialsRefused(f"{server} refuses the key: {said}", began=began)
    if status == 404:
        return ModelNotFound(f"{server}: {said}", began=began)
    if status in (408, 425) or (status >= 500 and status not in _NOT_SERVED):
        return ProviderUnavailable(f"{server} failed with {status}: {said}", retry_after=wait, began=began)
    if status in (400, 413, 422) and _OVERFLOW.search(words + _code_of(body)):
        return ContextOverflow(f"The conversation is longer than the model can read: {said}", began=began)
    if 400 <= status < 500:
        return ProviderRejected(f"{server} refuses the request: {said}", began=began)
    return ProviderProtocolError(f"{server} answered with status {status}: {said}", began=began)


def from_error_event(error: Any, server: str, *, secret: str = "", began: bool) -> ProviderError:
    """The error that an `error` inside a stream stands for: by its name or number, else the server's failure."""
    body = orjson.dumps({"error": error}, default=str)
    code = error.get("code") if isinstance(error, dict) else None
    if _OVERFLOW.search(message_of(error) + _code_of(body)):
        return from_status(400, body, {}, server, secret=secret, began=began)
    if isinstance(code, int) and 400 <= code < 500 and not isinstance(code, bool):
        return from_status(code, body, {}, server, secret=secret, began=began)
    return ProviderFailed(f"{server} failed: {quote(message_of(error), secret)}", began=began)


def _code_of(body: bytes) -> str:
    try:
        error = orjson.loads(body)["error"]
        return f" {error.get('type', '')} {error.get('code', '')}"
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return ""

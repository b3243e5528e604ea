"""From what went wrong on the wire to an error's name; quotes the server briefly and never our key."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from reprlib import Repr
from typing import Any

import orjson

from app.clock import utcnow
from app.providers.errors import (
    MAX_RETRY_AFTER,
    ContextOverflow,
    CredentialsRefused,
    ModelNotFound,
    PaymentRequired,
    ProviderBusy,
    ProviderError,
    ProviderFailed,
    ProviderProtocolError,
    ProviderRejected,
    ProviderUnavailable,
    ProviderUnusable,
)
from app.providers.lenient import has_too_many

MAX_QUOTE = 200
_MOST_COMPLAINTS = 20
_MOST_WORDS = 16_000  # characters of an error that are looked at: what matters comes first
_BRIEF = Repr()
_BRIEF.maxdict = _BRIEF.maxlist = 20
_BRIEF.maxstring = _BRIEF.maxother = MAX_QUOTE
_MOST_MARKUP = 64 * 1024  # characters
# What neither waiting nor asking again will change, in the words of many servers; the first that fits.
_FINAL: tuple[tuple[type[ProviderError], str, re.Pattern[str]], ...] = tuple(
    (kind, sentence, re.compile(words, re.IGNORECASE | re.VERBOSE))
    for kind, sentence, words in (
        (
            ContextOverflow,
            "The conversation is longer than the model can read: {said}",
            r"""exceed_context_size | context_length_exceeded | context\ (length|size|window) | context\ is\ full
            | (prompt|input)\ (is\ )?too\ (long|large) | maximum\ (context|prompt|input|model)\ length | max_model_len
            | exceeds?\ (the\ )?(available\ )?context | too\ many\ (input\ )?tokens | (input|prompt)\ token\ count
            | reduce\ the\ length | longer\ than\ the\ (model|context) | maximum\ number\ of\ (input\ )?tokens""",
        ),
        (
            ProviderUnusable,
            "{server} cannot run this model: {said}",
            r"""requires\ more\ (\w+\ )?memory | out\ of\ memory | insufficient\ memory | cudamalloc
            | (failed|unable)\ to\ (load\ (the\ )?model|allocate) | error\ loading\ model | invalid\ (file\ )?magic
            | unsupported\ (model|architecture) | unknown\ model\ architecture | not\ a\ valid\ gguf
            | (tensor|gguf|model\ file).{0,40}(corrupt|truncated|incomplete|not\ within) | digest\ mismatch
            | cannot\ open\ shared\ object | loading\ shared\ libraries | no\ such\ file\ or\ directory""",
        ),
        (
            ModelNotFound,
            "{server}: {said}",
            r"model.{0,200}(not\ found|does\ not\ exist) | no\ such\ model | model_not_found | try\ pulling\ it\ first",
        ),
        (
            ProviderRejected,
            "{server} refuses the request: {said}",
            r"""roles?\ must\ alternate | conversation\ roles | system\ role\ not\ supported
            | does\ not\ support\ (chat|tools|thinking) | jinja | chat\ template""",
        ),
    )
)
_UNPAID = re.compile(
    r"insufficient_quota|exceeded your current quota|insufficient (balance|credits?|funds)|payment required"
    r"|out of credits|credit balance|billing",
    re.IGNORECASE,
)
_SOON = re.compile(r"retry in|retrydelay", re.IGNORECASE)  # a quota of a minute, in the words of one of a month
_TAGS = re.compile(r"<[^>]{0,1000}>")
_NOT_SHOWN = re.compile(r"<(script|style)\b.*?(</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_NOT_THE_KEY = re.compile(r"<html|<!doctype|moderat|flagged|content.policy|safety|violat", re.IGNORECASE)
_NOT_SERVED = (501, 505)  # 5xx that a retry would not change


def quote(text: str, secret: str = "") -> str:
    """At most 200 characters on one line, without markup, control characters and the key."""
    text = _TAGS.sub(" ", _NOT_SHOWN.sub(" ", text[:_MOST_MARKUP])[: 20 * MAX_QUOTE])
    if secret:
        text = text.replace(secret, "…")
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= MAX_QUOTE else text[: MAX_QUOTE - 1] + "…"


def explanation(body: bytes) -> str:
    """The server's own words in an error body, or the body."""
    told = _parsed(body)
    return body.decode(errors="replace") if told is None else message_of(told)


def _parsed(body: bytes) -> Any:
    """None for what is no JSON."""
    try:
        return None if has_too_many(body) else orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def message_of(body: Any) -> str:
    """The message of an error object, in any of its spellings."""
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(error, dict) and isinstance(error.get("detail"), list):
        return "; ".join(map(_complaint, error["detail"][:_MOST_COMPLAINTS]))  # FastAPI's 422
    if isinstance(error, dict):
        words = (error.get(name) for name in ("message", "detail", "error", "code"))
        return next((word for word in words if isinstance(word, str) and word), "") or _spelled(error)
    return _spelled(error)


def _spelled(value: Any) -> str:
    """The beginning of what is no text, however large or deeply nested it is."""
    return value if isinstance(value, str) else _BRIEF.repr(value)


def _complaint(detail: Any) -> str:
    if not isinstance(detail, dict):
        return _spelled(detail)
    place, told = detail.get("loc"), _spelled(detail.get("msg", detail))
    where = ".".join(map(_spelled, place[1:])) if isinstance(place, list) else ""
    return f"{where}: {told}" if where else told


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from now, from a number or a date, however many; garbage is no answer."""
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
    return max(seconds, 0.0) if seconds == seconds else None


def _now() -> datetime:
    return utcnow()


def from_status(
    status: int, body: bytes, headers: Mapping[str, str], server: str, *, secret: str = "", began: bool = False
) -> ProviderError:
    """The error that a response's status stands for."""
    words = explanation(body)
    said = quote(words, secret) or f"status {status}"
    told = _parsed(body)
    hint = _hint(words, told.get("error") if isinstance(told, dict) else None)
    wait = retry_after(headers)
    if status == 402 or (status in (400, 403, 429) and _is_unpaid(hint, wait)):
        return PaymentRequired(f"{server} wants to be paid: {said}", began=began)
    if status == 429:
        return ProviderBusy(f"{server} is busy: {said}", retry_after=wait, began=began)
    if status == 403 and _NOT_THE_KEY.search(body[:20_000].decode(errors="replace")):  # a CDN's page, a moderator's
        return ProviderRejected(f"{server} refuses the request: {said}", began=began)
    if status in (401, 403):
        return CredentialsRefused(f"{server} refuses the key: {said}", began=began)
    if status == 404:
        return ModelNotFound(f"{server}: {said}", began=began)
    if status in (408, 425, 503):
        return ProviderUnavailable(f"{server} failed with {status}: {said}", retry_after=wait, began=began)
    if (final := _final(hint, said, server, began=began)) is not None:
        return final
    if status >= 500 and status not in _NOT_SERVED:
        return ProviderUnavailable(f"{server} failed with {status}: {said}", retry_after=wait, began=began)
    if 400 <= status < 500:
        return ProviderRejected(f"{server} refuses the request: {said}", began=began)
    return ProviderProtocolError(f"{server} answered with status {status}: {said}", began=began)


def _final(hint: str, said: str, server: str, *, began: bool, is_running: bool = False) -> ProviderError | None:
    """`is_running`: what ran out of memory while it wrote may well find enough at another try."""
    for kind, sentence, words in _FINAL:
        if words.search(hint) and not (is_running and kind is ProviderUnusable):
            return kind(sentence.format(server=server, said=said), began=began)
    return None


def _is_unpaid(hint: str, wait: float | None) -> bool:
    comes_back = (wait is not None and wait <= MAX_RETRY_AFTER) or _SOON.search(hint)
    return _UNPAID.search(hint) is not None and not comes_back


def from_error_event(error: Any, server: str, *, secret: str = "", began: bool) -> ProviderError:
    """The error that an `error` inside a stream stands for: by its name or number, else the server's failure."""
    code = error.get("code") if isinstance(error, dict) else None
    words = message_of(error)
    said = quote(words, secret)
    if isinstance(code, int) and 400 <= code < 500 and not isinstance(code, bool):
        body = orjson.dumps({"error": _shallow(error)})
        return from_status(code, body, {}, server, secret=secret, began=began)
    hint = _hint(words, error)
    if _is_unpaid(hint, None):
        return PaymentRequired(f"{server} wants to be paid: {said}", began=began)
    final = _final(hint, said, server, began=began, is_running=True)
    return final or ProviderFailed(f"{server} failed: {said}", began=began)


def from_error_body(error: Any, server: str, *, secret: str = "") -> ProviderError:
    """An error that came with status 200 in the place of a stream: by its name, else as what it is."""
    named = from_error_event(error, server, secret=secret, began=False)
    if type(named) is not ProviderFailed:
        return named
    return ProviderProtocolError(f"{server} did not answer with a stream: {quote(message_of(error), secret)}")


def _hint(words: str, error: Any) -> str:
    """What an error is known by: its words, its type and its code."""
    facts = _shallow(error) if isinstance(error, dict) else {}
    return f"{words[:_MOST_WORDS]} {facts.get('type', '')} {facts.get('code', '')}"


def _shallow(error: dict[str, Any]) -> dict[str, str]:
    """What an error says on its first level, in texts that can be written as JSON."""
    named = ("message", "detail", "error", "type", "code")
    told = {name: _spelled(error[name])[:_MOST_WORDS] for name in named if error.get(name) is not None}
    return {name: said.encode(errors="replace").decode() for name, said in told.items()}

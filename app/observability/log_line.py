"""One event, one line of JSON, whatever anybody put into it."""

import logging
import time
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from app.clock import rfc3339
from app.observability.redaction import Redactor

MAX_FIELD = 1024
MAX_READ = 8 * MAX_FIELD
MAX_STACK = 16 * MAX_FIELD
# Loggers that repeat one complaint many times a second when a neighbour is down or a stranger pushes.
REPEATERS = ("app.providers", "uvicorn", "asyncio", "opentelemetry")

# JSON escapes what is below a space; these are the others that could start a line or move a cursor.
_ESCAPED = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)}


@dataclass(frozen=True, slots=True)
class Event:
    """A record and the circumstances of the thread that logged it."""

    record: logging.LogRecord
    message: str
    request_id: str
    job_id: str
    suppressed: int


class Repeats:
    """At most one line a second for the same complaint; the next one says how many were left out."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], tuple[float, int]] = {}

    def check(self, record: logging.LogRecord) -> int | None:
        """How many were left out before this one; None: leave this one out, too."""
        if record.levelno < logging.WARNING or not record.name.startswith(REPEATERS):
            return 0
        key = (record.name, str(record.msg)[:200])
        now = time.monotonic()
        last, left_out = self._last.get(key, (now - 2, 0))
        if now - last < 1:
            self._last[key] = (last, left_out + 1)
            return None
        if len(self._last) > 1000:
            self._last.clear()
        self._last[key] = (now, 0)
        return left_out


def render(event: Event, redact: Redactor, *, stack: bool = False) -> str:
    record = event.record
    fields: dict[str, object] = {
        "time": rfc3339(datetime.fromtimestamp(record.created, UTC)),
        "level": record.levelname,
        "logger": record.name,
        "request_id": event.request_id,
        "job_id": event.job_id,
        "message": _clean(redact(event.message), MAX_FIELD),
        "suppressed": event.suppressed,
    }
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        fields["error"] = _clean(redact(f"{type(error).__name__}: {error}"[:MAX_READ]), MAX_FIELD)
        if stack:
            fields["stack"] = _clean(redact(_stack(error)), MAX_STACK)
    fields = {name: value for name, value in fields.items() if value}
    for name, value in getattr(record, "fields", {}).items():
        fields[name] = _clean(redact(value), MAX_FIELD) if isinstance(value, str) else value
    line = orjson.dumps(fields)
    return line.decode().translate(_ESCAPED)


def message_of(record: logging.LogRecord) -> str:
    """Made by the thread that logs: what the arguments stand for may change, or belong to that thread alone."""
    try:
        return _shortened(record.getMessage(), MAX_READ)
    except Exception:
        return _shortened(str(record.msg), MAX_READ)


def _stack(error: BaseException) -> str:
    """Long values are cut line by line, so that the frames stay."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join(line[:MAX_FIELD] for line in lines)[-MAX_STACK:]


def _shortened(text: str, length: int) -> str:
    """A traceback that came as text says at its end what went wrong."""
    if len(text) <= length:
        return text
    keeps_end = "Traceback (most recent call last)" in text or text.startswith("…")
    return "…" + text[1 - length :] if keeps_end else text[: length - 1] + "…"


def _clean(text: str, length: int) -> str:
    return _shortened(text, length).encode("utf-8", "backslashreplace").decode()

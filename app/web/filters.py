"""What templates do to values."""

from datetime import datetime
from typing import Any

from markupsafe import Markup

from app.clock import rfc3339
from app.i18n import show_datetime, show_number, translated
from app.web.failures import of_server
from app.web.model_choice import provider_name
from app.web.preferences import current


def dom_id(noun: str, key: str, part: str = "") -> str:
    """`message-<id>-body`: one spelling for ids in markup, targets and styles."""
    return f"{noun}-{key}-{part}" if part else f"{noun}-{key}"


def message_link(message: Any) -> str:
    """Where a message stands in its conversation."""
    return f"/c/{message.conversation_id}?message={message.id}#{dom_id('message', message.id)}"


def safe_html(html: str) -> Markup:
    """The one place where text becomes markup: only for what app.rendering has made."""
    return Markup(html)  # noqa: S704


def show_time(moment: datetime) -> str:
    """To the minute, on the reader's clock."""
    return show_datetime(current.get().here(moment), pattern="short")


def show_bytes(size: int) -> str:
    """“1.3 GB”, in thousands as disks count."""
    value, unit = float(size), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{show_number(value, 0 if unit == 'B' or value >= 100 else 1)} {unit}"


FILTERS = {
    "dom_id": dom_id,
    "message_link": message_link,
    "safe_html": safe_html,
    "time": show_time,
    "rfc3339": rfc3339,
    "number": show_number,
    "bytes": show_bytes,
    "translated": translated,
    "provider_name": provider_name,
    "server_trouble": of_server,
}

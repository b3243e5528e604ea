"""What templates do to values."""

from datetime import datetime

from markupsafe import Markup

from app.clock import rfc3339


def dom_id(noun: str, key: str, part: str = "") -> str:
    """`message-<id>-body`: one spelling for ids in markup, targets and styles."""
    return f"{noun}-{key}-{part}" if part else f"{noun}-{key}"


def safe_html(html: str) -> Markup:
    """The one place where text becomes markup: only for what app.rendering has made."""
    return Markup(html)  # noqa: S704


def show_time(moment: datetime) -> str:
    """To the minute, in UTC: the server does not know the reader's clock."""
    return moment.strftime("%Y-%m-%d %H:%M UTC")


FILTERS = {"dom_id": dom_id, "safe_html": safe_html, "time": show_time, "rfc3339": rfc3339}

"""What routes return and take: JSON bodies, ids in paths, pages."""

import base64
import binascii
from typing import Annotated, Any, Literal

import orjson
from fastapi import Path, Query
from pydantic import AfterValidator
from starlette.responses import Response

from app.errors import invalid
from app.ids import parse_id

PathId = Annotated[str, Path(json_schema_extra={"format": "uuid"}), AfterValidator(parse_id)]
Limit = Annotated[int, Query(ge=1, le=500, description="items on a page")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before")]
Format = Annotated[Literal["text", "html"], Query(description="`html` adds rendered, sanitised HTML")]


class JsonResponse(Response):
    """A body that was built as plain values; the schema is checked by tests, not on each answer."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return content.encode() if isinstance(content, str) else orjson.dumps(content)


def to_cursor(*parts: str) -> str:
    return base64.urlsafe_b64encode("|".join(parts).encode()).decode().rstrip("=")


def from_cursor(cursor: str, parts: int) -> list[str]:
    try:
        decoded = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        raise bad_cursor() from None
    found = decoded.split("|")
    if len(found) != parts:
        raise bad_cursor()
    return found


def bad_cursor() -> Exception:
    return invalid("bad_cursor", "This cursor is not one that this list gave out.", "cursor")

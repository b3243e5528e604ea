"""What every body that comes in or goes out has in common."""

from datetime import datetime
from types import NoneType
from typing import Annotated, Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, ValidationInfo, WithJsonSchema, field_validator
from pydantic_core import PydanticCustomError

from app.clock import rfc3339

Item = TypeVar("Item")

Id = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        json_schema_extra={"format": "uuid"},
    ),
]

Timestamp = Annotated[
    datetime,
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def _check_text(value: Any) -> None:
    if isinstance(value, str):
        # isascii() is instant and true of most of what comes in; encoding is the quickest search for surrogates.
        if "\0" in value or (not value.isascii() and not _encodes(value)):
            raise PydanticCustomError("invalid_text", "Text must not contain NUL or lone surrogates")
    elif isinstance(value, list):
        for item in value:
            _check_text(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check_text(item)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Schema(BaseModel):
    """A request's body: unknown fields are refused, text is clean, and no text passes for a number."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _checked(cls, value: Any, info: ValidationInfo) -> Any:
        _check_text(value)
        if isinstance(value, (str, bool, int, float)) and info.field_name is not None:
            _check_number(value, cls.model_fields[info.field_name].annotation)
        return value


def _check_number(value: object, annotation: Any) -> None:
    """Pydantic would read "1" and true as 1, and 1 as true; JSON says which of them was meant."""
    wanted = {kind for kind in (get_args(annotation) or (annotation,)) if kind is not NoneType}
    if wanted == {bool} and not isinstance(value, bool):
        raise PydanticCustomError("bool_type", "Input should be true or false")
    if wanted and wanted <= {int, float} and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise PydanticCustomError("number_type", "Input should be a number")


class View(BaseModel):
    """An answer's body; made from rows or from keyword arguments."""

    model_config = ConfigDict(from_attributes=True)


class Page(View, Generic[Item]):
    """One page of a list. `next_cursor` is null on the last one."""

    items: list[Item]
    next_cursor: str | None = None


class ProblemError(View):
    """One refused input."""

    pointer: str = Field(description="a JSON pointer into the body, or the parameter's name")
    code: str
    message: str


class Problem(View):
    """What went wrong (RFC 9457)."""

    type: str = Field(examples=["urn:teahouse:not_found"])
    title: str
    status: int
    detail: str
    instance: str = Field(examples=["urn:request:0198c0de-0000-7000-8000-000000000000"])
    errors: list[ProblemError] | None = None
    request_id: str

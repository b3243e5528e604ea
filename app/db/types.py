"""Column types."""

from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import BigInteger, Boolean, Dialect, Integer, SmallInteger, String, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeDecorator, TypeEngine


@compiles(String, "postgresql")
def _text_is_text(_type: Any, _compiler: Any, **_options: Any) -> str:
    """As on SQLite, lengths are told and not enforced; and PostgreSQL never has to choose between two types of text."""
    return "TEXT"


# SQLite compares these as text, so every moment is written with the same width and zone.
_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


def to_text(moment: datetime) -> str:
    """A moment as the database keeps it; also for the statements that do not go through the ORM."""
    return moment.astimezone(UTC).strftime(_FORMAT)


def from_text(text: str) -> datetime:
    return datetime.fromisoformat(text)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC, kept as sortable text."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else to_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_text(value)


class Json(TypeDecorator[Any]):
    """A JSON value as compact text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)


class Flag(TypeDecorator[bool]):
    """True or False, kept as 1 or 0 by every database: statements by hand compare it with these numbers."""

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(SmallInteger() if dialect.name == "postgresql" else Boolean())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> Any:
        return int(value) if value is not None and dialect.name == "postgresql" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        return None if value is None else bool(value)


# SQLite numbers rows by itself only where the type is INTEGER; elsewhere four bytes would run out.
RowNumber = BigInteger().with_variant(Integer(), "sqlite")

"""What can go wrong, as one exception with eight kinds; knows no HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class ErrorKind(StrEnum):
    not_found = "not_found"
    unauthenticated = "unauthenticated"
    forbidden = "forbidden"
    invalid = "invalid"
    conflict = "conflict"
    too_large = "too_large"
    rate_limited = "rate_limited"
    unavailable = "unavailable"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One refused input. `pointer` is a JSON pointer into the body (`/content`) or the parameter's name."""

    pointer: str
    code: str
    message: str


class AppError(Exception):
    """An expected failure.

    `code` ends up in `urn:teahouse:<code>`, `detail` is one sentence for a person. `retry_after` is in whole seconds.
    """

    def __init__(
        self,
        kind: ErrorKind,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after = retry_after


def not_found() -> AppError:
    """What is missing and what belongs to somebody else are the same answer."""
    return AppError(ErrorKind.not_found, "not_found", "There is nothing here, or it is not yours.")


def invalid(code: str, detail: str, pointer: str = "") -> AppError:
    errors = [FieldError(pointer, code, detail)] if pointer else []
    return AppError(ErrorKind.invalid, code, detail, errors=errors)

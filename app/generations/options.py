"""What may be set about how a model writes: the limits that every face keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import AppError, ErrorKind, FieldError
from app.i18n import Worded, worded

MAX_SYSTEM_PROMPT = 32_000
THINK_LEVELS = ("low", "medium", "high", "max")


@dataclass(frozen=True, slots=True)
class Limits:
    """A number's range; `whole`: no fractions."""

    least: int
    most: int
    whole: bool = False

    def read(self, text: str) -> float | int | None:
        """The number that a person typed, None if it is none within the range. A comma is a point in many countries."""
        try:
            number = int(text) if self.whole else float(text.replace(",", "."))
        except ValueError:
            return None
        return number if self.least <= number <= self.most else None

    def sentence(self) -> Worded:
        if self.whole:
            return worded("A whole number from {least} to {most:,}.", least=self.least, most=self.most)
        return worded("A number from {least} to {most}.", least=self.least, most=self.most)


LIMITS: Mapping[str, Limits] = {
    "temperature": Limits(0, 2),
    "top_p": Limits(0, 1),
    "top_k": Limits(1, 1000, whole=True),
    "max_tokens": Limits(1, 131_072, whole=True),
    "seed": Limits(0, 2**31 - 1, whole=True),
    "repeat_penalty": Limits(0, 4),
    "num_ctx": Limits(512, 1_048_576, whole=True),
}


def read_options(typed: Mapping[str, str]) -> dict[str, Any]:
    """From what people type; blank = as the model server likes. All that is wrong is said at once."""
    options: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, limits in LIMITS.items():
        text = typed.get(name, "").strip()
        value = limits.read(text) if text else None
        if text and value is None:
            errors.append(FieldError(f"/{name}", "out_of_range", limits.sentence()))
        elif value is not None:
            options[name] = value
    think = _think(typed.get("think", ""))
    if think is not None:
        options["think"] = think
    if errors:
        detail = "Some of these settings are out of their range."
        raise AppError(ErrorKind.invalid, "invalid_options", detail, errors=errors)
    return options


def _think(text: str) -> bool | str | None:
    if text in THINK_LEVELS:
        return text
    return {"yes": True, "no": False}.get(text)


def typed_options(options: Mapping[str, Any]) -> dict[str, str]:
    """The other way: what stands in the fields."""
    typed = {
        name: f"{options[name]:g}" if isinstance(options[name], float) else str(options[name])
        for name in LIMITS
        if options.get(name) is not None
    }
    think = options.get("think")
    if think is not None:
        typed["think"] = think if isinstance(think, str) else ("yes" if think else "no")
    return typed


def check_system_prompt(text: str) -> str:
    if len(text) > MAX_SYSTEM_PROMPT:
        detail = worded("A system prompt has at most {most:,} characters.", most=MAX_SYSTEM_PROMPT)
        raise AppError(ErrorKind.invalid, "too_long", detail, errors=[FieldError("/system_prompt", "too_long", detail)])
    return text

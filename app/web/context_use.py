"""How much of a model's window the branch in view fills, and what each answer took, by the model server's own count."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.providers.base import ModelInfo

NEARLY_FULL, FULL = 80, 95


@dataclass(frozen=True, slots=True)
class ContextUse:
    used: int
    length: int

    @property
    def percent(self) -> int:
        return min(100, 100 * self.used // self.length)

    @property
    def is_over(self) -> bool:
        """It was written with a larger window than the model has now."""
        return self.used > self.length

    @property
    def level(self) -> Literal["", "warn", "bad"]:
        if self.percent >= FULL:
            return "bad"
        return "warn" if self.percent >= NEARLY_FULL else ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Of each answer, oldest first: tokens read and written, and tokens a second, as far as they are known."""

    answers: tuple[tuple[int | None, int | None, float | None], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.answers)

    @property
    def read(self) -> int:
        return sum(read or 0 for read, _, _ in self.answers)

    @property
    def written(self) -> int:
        return sum(written or 0 for _, written, _ in self.answers)


def usage_of(answers: Iterable[Mapping[str, Any] | None]) -> Usage:
    names = ("prompt_tokens", "completion_tokens", "tokens_per_second")
    return Usage(tuple((*(usage.get(name) for name in names),) for usage in answers if usage))  # type: ignore[misc]


def context_use(
    answers: Iterable[tuple[str | None, Mapping[str, Any] | None]], models: Iterable[ModelInfo]
) -> ContextUse | None:
    """After the last of `answers`, each a model and its usage, oldest first. None: not known."""
    for model, usage in reversed(list(answers)):
        if not usage or usage.get("prompt_tokens") is None:
            continue
        length = usage.get("context_length") or next((m.context_length for m in models if m.id == model), None)
        if length:
            return ContextUse(usage["prompt_tokens"] + (usage.get("completion_tokens") or 0), length)
        return None
    return None

"""What a provider says while it answers; plain values."""

from dataclasses import dataclass
from typing import Literal

FinishReason = Literal["stop", "length", "content_filter", "tool_calls"]


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts by the model server; None where it does not say. `context_length` is the window in tokens."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    context_length: int | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The model server's own end marker. A stream that ends without one was cut."""

    reason: FinishReason


ChatEvent = TextDelta | ThinkingDelta | Usage | Finished

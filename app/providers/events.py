"""What a provider says while it answers; plain values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    text: str


@dataclass(frozen=True, slots=True)
class WasThinking:
    """All `text` so far was thinking, as its end has shown."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts by the model server; None where it does not say. `context_length` is the window in tokens.

    `ignored`: options that were left out because the server does not take them.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    context_length: int | None = None
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """The model server's own end marker. A stream that ends without one was cut.

    `reason`: stop, length, content_filter, refusal, tool_calls, or the server's own word (finishing.py).
    """

    reason: str


ChatEvent = TextDelta | ThinkingDelta | WasThinking | Usage | Finished

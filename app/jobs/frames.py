"""What a viewer of a stream gets."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frame:
    """One event. `id` None: unnumbered; `event` empty: only a position. `data` is JSON text."""

    id: int | None
    event: str
    data: str


RECONNECT = Frame(None, "reconnect", "{}")

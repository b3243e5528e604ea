"""What model servers tell, within sane bounds: the only place where a number or a text of theirs is taken over."""

from collections.abc import Mapping
from typing import Any

MOST_TOKENS = 100_000_000  # of one answer
MOST_BYTES = 1 << 50
MOST_AT_ONCE = 256  # answers of one server


def count(value: Any, most: int = MOST_TOKENS) -> int | None:
    """None for what is no number of things: negative, huge, a boolean, a fraction, no number at all."""
    return value if type(value) is int and 0 <= value <= most else None


def positive(value: Any, most: int = MOST_TOKENS) -> int | None:
    """None also for zero, where that would mean nothing."""
    return count(value, most) or None


def line(value: Any, most: int) -> str:
    """At most so many characters on one line that can be printed and stored; empty for what is no text."""
    if type(value) is not str:
        return ""
    start = value[: 4 * most]
    return " ".join("".join(c if c.isprintable() else " " for c in start).split())[:most]


def text(facts: Mapping[str, Any], name: str, most: int) -> str:
    """At most so many characters that can be stored; empty where there is no text of that name."""
    value = facts.get(name)
    if type(value) is not str:
        return ""
    return value[:most].replace("\0", "").encode(errors="replace").decode()

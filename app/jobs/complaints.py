"""The same trouble is told once a minute: a full disk is not made better by a log that grows."""

from app.clock import monotonic

EVERY_SECONDS = 60.0


class Complaints:
    def __init__(self) -> None:
        self._told_at = float("-inf")

    def __call__(self) -> bool:
        """Whether to say it now."""
        now = monotonic()
        if now - self._told_at < EVERY_SECONDS:
            return False
        self._told_at = now
        return True

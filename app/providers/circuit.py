"""Stops asking a model server that is away, and keeps the log quiet about it."""

import logging

from app.clock import monotonic
from app.providers.errors import ProviderUnavailable

logger = logging.getLogger(__name__)

FAILURES_TO_OPEN = 5
OPEN_SECONDS = 10.0
_LOG_EVERY = 1.0


class Circuit:
    """Five connect failures in a row open it for ten seconds; then one probe decides."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._failures = 0
        self._open_until = 0.0
        self._reason = ""
        self._logged_at = float("-inf")

    @property
    def is_open(self) -> bool:
        return self._failures >= FAILURES_TO_OPEN and monotonic() < self._open_until

    def check(self) -> None:
        """Raise at once while open. The caller that gets through after that is the probe; others wait for it."""
        if self._failures < FAILURES_TO_OPEN:
            return
        now = monotonic()
        if now < self._open_until:
            raise ProviderUnavailable(self._reason, retry_after=self._open_until - now)
        self._open_until = now + OPEN_SECONDS

    def failed(self, error: ProviderUnavailable) -> None:
        now = monotonic()
        self._failures += 1
        self._reason = error.message
        if self._failures >= FAILURES_TO_OPEN:
            self._open_until = now + OPEN_SECONDS
        if now - self._logged_at >= _LOG_EVERY:
            self._logged_at = now
            logger.warning("%s cannot be reached (%d in a row): %s", self._server, self._failures, error.message)

    def succeeded(self) -> None:
        if self._failures:
            logger.info("%s answers again", self._server)
        self._failures = 0

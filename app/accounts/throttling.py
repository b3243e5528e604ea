"""How often: sign-ins and registrations by account and address, requests by user. Per process, in memory."""

import contextlib
import ipaddress
import math
import time
from typing import Any

from app.errors import AppError, ErrorKind

SIGN_IN_ACCOUNT = "5/minute"
SIGN_IN_ADDRESS = "20/minute"
REGISTER_ADDRESS = "20/hour"


def network_of(address: str) -> str:
    """An IPv6 caller owns a /64: that is one caller."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


class Throttle:
    """All of it is off when `rate_limit` is 0."""

    def __init__(self, rate_limit: int) -> None:
        self._requests = f"{rate_limit}/minute"
        self._on = rate_limit > 0
        self._limiter: Any = None
        self._items: dict[str, Any] = {}

    def _test(self, limit: str, *key: str, take: bool) -> None:
        """Raise `rate_limited` when the window is full; else take a place in it."""
        if not self._on:
            return
        if self._limiter is None:
            from limits.storage import MemoryStorage
            from limits.strategies import MovingWindowRateLimiter

            self._limiter = MovingWindowRateLimiter(MemoryStorage())
        if limit not in self._items:
            from limits import parse

            self._items[limit] = parse(limit)
        item = self._items[limit]
        free = self._limiter.hit(item, *key) if take else self._limiter.test(item, *key)
        if not free:
            reset = self._limiter.get_window_stats(item, *key).reset_time
            raise AppError(
                ErrorKind.rate_limited,
                "rate_limited",
                "Too many requests. Try again later.",
                retry_after=max(1, math.ceil(reset - time.time())),
            )

    def begin_sign_in(self, folded_login: str, address: str) -> None:
        """Before a password is looked at: of a burst at one account exactly as many pass as the limit says."""
        self._test(SIGN_IN_ADDRESS, "sign-in", network_of(address), take=False)
        self._test(SIGN_IN_ACCOUNT, "sign-in", folded_login, take=True)

    def failed_sign_in(self, address: str) -> None:
        with contextlib.suppress(AppError):
            self._test(SIGN_IN_ADDRESS, "sign-in", network_of(address), take=True)

    def succeeded_sign_in(self, folded_login: str) -> None:
        """Only failures count: who knows the password is not locked out by earlier slips."""
        if self._limiter is not None:
            self._limiter.clear(self._items[SIGN_IN_ACCOUNT], "sign-in", folded_login)

    def count_registration(self, address: str) -> None:
        self._test(REGISTER_ADDRESS, "register", network_of(address), take=True)

    def count_request(self, user_id: str) -> None:
        self._test(self._requests, "request", user_id, take=True)

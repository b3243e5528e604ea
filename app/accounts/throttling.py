"""How often: sign-ins and registrations by account and address, requests by user. Per process, in memory."""

import ipaddress
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from app.clock import monotonic
from app.errors import AppError, ErrorKind
from app.i18n import worded

MAX_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Limit:
    """`most` within any stretch of `seconds`."""

    name: str
    most: int
    seconds: float


SIGN_IN_ACCOUNT = Limit("sign-in of account", 5, 60)
SIGN_IN_ADDRESS = Limit("sign-in from address", 20, 60)
REGISTER_ADDRESS = Limit("registration from address", 20, 3600)


def network_of(address: str) -> str:
    """An IPv6 caller owns a /64: that is one caller."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed)


class Throttle:
    """Moving windows whose places can be given back. All of it is off when `rate_limit` is 0."""

    def __init__(self, rate_limit: int, clock: Callable[[], float] = monotonic) -> None:
        self._on = rate_limit > 0
        self._requests = Limit("requests", rate_limit, 60)
        self._clock = clock
        self._taken: dict[tuple[Limit, str], deque[float]] = {}

    def begin_sign_in(self, folded_login: str, address: str) -> None:
        """Before a password is looked at: of a burst exactly as many pass as the limits say."""
        network = network_of(address)
        self._take(SIGN_IN_ADDRESS, network)
        try:
            self._take(SIGN_IN_ACCOUNT, folded_login)
        except AppError:
            self._give_back(SIGN_IN_ADDRESS, network)
            raise

    def undecided_sign_in(self, folded_login: str, address: str) -> None:
        """The server had no time to look at the password: nobody failed."""
        self._give_back(SIGN_IN_ACCOUNT, folded_login)
        self._give_back(SIGN_IN_ADDRESS, network_of(address))

    def succeeded_sign_in(self, folded_login: str, address: str) -> None:
        """Only failures count: who knows the password is not locked out by earlier slips."""
        self._taken.pop((SIGN_IN_ACCOUNT, folded_login), None)
        self._give_back(SIGN_IN_ADDRESS, network_of(address))

    def count_registration(self, address: str) -> None:
        self._take(REGISTER_ADDRESS, network_of(address))

    def count_request(self, user_id: str) -> None:
        self._take(self._requests, user_id)

    def _take(self, limit: Limit, key: str) -> None:
        """Take a place in the window, or raise `rate_limited` when it is full."""
        if not self._on:
            return
        now = self._clock()
        if len(self._taken) >= MAX_KEPT:
            self._forget(now)
        taken = self._taken.setdefault((limit, key), deque())
        while taken and taken[0] <= now - limit.seconds:
            taken.popleft()
        if len(taken) >= limit.most:
            wait = max(1, math.ceil(taken[0] + limit.seconds - now))
            detail = worded("Too many requests. Try again later.")
            raise AppError(ErrorKind.rate_limited, "rate_limited", detail, retry_after=wait)
        taken.append(now)

    def _give_back(self, limit: Limit, key: str) -> None:
        taken = self._taken.get((limit, key))
        if taken:
            taken.pop()

    def _forget(self, now: float) -> None:
        """Drop the windows that are empty by now; if somebody fills them faster than that, the older half."""
        for which in [w for w, taken in self._taken.items() if not taken or taken[-1] <= now - w[0].seconds]:
            del self._taken[which]
        if len(self._taken) >= MAX_KEPT:
            for which in list(self._taken)[: MAX_KEPT // 2]:
                del self._taken[which]

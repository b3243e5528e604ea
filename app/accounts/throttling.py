"""How often: sign-ins and registrations by account and address, requests by user. Per process, in memory."""

import asyncio
import contextlib
import ipaddress
import math
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

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
SIGN_IN_HERE = Limit("sign-in of account from address", 5, 60)
SIGN_IN_DEVICE = Limit("sign-in of account on a known device", 5, 60)
REGISTER_ADDRESS = Limit("registration from address", 100, 3600)  # an office, or a class, on its first day
PATIENCE_SECONDS = 10.0  # for attempts of others that are under way


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


Place = tuple[Limit, bytes]
"""A limit, and a digest of whose: what strangers type is not kept, and is never long."""


def _place(limit: Limit, *whose: str) -> Place:
    return limit, blake2b(repr(whose).encode(), digest_size=16).digest()


def _places(account: str, address: str) -> tuple[Place, Place, Place]:
    """Of the account from this address, of the address, of the account."""
    network = network_of(address)
    return (
        _place(SIGN_IN_HERE, account, network),
        _place(SIGN_IN_ADDRESS, network),
        _place(SIGN_IN_ACCOUNT, account),
    )


class Attempt:
    """A sign-in whose password is being checked. Call exactly one of the methods, once, when the result is known."""

    def __init__(self, throttle: "Throttle", account: "Place", places: Sequence["Place"]) -> None:
        self._throttle, self._account, self._places = throttle, account, places

    def failed(self) -> None:
        self._throttle.decide(self._places)

    def succeeded(self) -> None:
        """Only failures count: who knows the password is not locked out by earlier slips."""
        own = [place for place in self._places if place[0] is not SIGN_IN_ADDRESS]
        self._throttle.decide(self._places, give_back=self._places, forget=[self._account, *own])

    def undecided(self) -> None:
        """The server had no time to look at the password: nobody failed."""
        self._throttle.decide(self._places, give_back=self._places)


class Throttle:
    """Moving windows whose places can be given back. All of it is off when `rate_limit` is 0."""

    def __init__(self, rate_limit: int, clock: Callable[[], float] = monotonic) -> None:
        self._on = rate_limit > 0
        self._requests = Limit("requests", rate_limit, 60)
        self._clock = clock
        self._taken: dict[Place, deque[float]] = {}
        self._undecided: Counter[Place] = Counter()
        self._decided = asyncio.Event()

    async def admit_sign_in(
        self, account: str, address: str, is_at_home: Callable[[], Awaitable[bool]], *, on_own_device: bool = False
    ) -> Attempt:
        """Before a password is looked at: of a burst exactly as many fail as the limits say, and no right one is lost.

        Who comes when all places are held by attempts under way waits for those. What others get wrong keeps nobody out
        who is on a device that this account has signed in from, or at home at this address.
        """
        if on_own_device:
            with contextlib.suppress(AppError):
                return self._begun(_place(SIGN_IN_ACCOUNT, account), [_place(SIGN_IN_DEVICE, account)])
        until = self._clock() + PATIENCE_SECONDS
        while True:
            try:
                return self.begin_sign_in(account, address)
            except AppError:
                if self._clock() >= until or not self._may_change(account, address):
                    break
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._decided.wait()
        if not await is_at_home():
            return self.begin_sign_in(account, address)  # says why not
        own, _, whole = _places(account, address)
        return self._begun(whole, [own])

    def begin_sign_in(self, account: str, address: str) -> Attempt:
        """The same without waiting: raises `rate_limited` at once when a limit is reached."""
        own, network, whole = _places(account, address)
        return self._begun(whole, [own, network, whole])

    def decide(self, places: Sequence[Place], *, give_back: Sequence[Place] = (), forget: Sequence[Place] = ()) -> None:
        for place in places:
            self._undecided[place] -= 1
            if self._undecided[place] <= 0:
                del self._undecided[place]
        for place in give_back:
            self._give_back(*place)
        for place in forget:
            self._taken.pop(place, None)
        self._decided.set()
        self._decided = asyncio.Event()

    def _begun(self, account: Place, places: Sequence[Place]) -> Attempt:
        taken: list[Place] = []
        try:
            for place in places:
                self._take(*place)
                taken.append(place)
        except AppError:
            for place in taken:
                self._give_back(*place)
            raise
        self._undecided.update(places)
        return Attempt(self, account, places)

    def _may_change(self, account: str, address: str) -> bool:
        """Whether every limit that is full is so by attempts of which some may turn out right."""
        full = [place for place in _places(account, address) if len(self._taken.get(place, ())) >= place[0].most]
        return all(self._undecided[place] for place in full)

    def count_registration(self, address: str) -> None:
        self._take(*_place(REGISTER_ADDRESS, network_of(address)))

    def count_request(self, user_id: str) -> None:
        self._take(*_place(self._requests, user_id))

    def _take(self, limit: Limit, key: bytes) -> None:
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

    def _give_back(self, limit: Limit, key: bytes) -> None:
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

"""Argon2 password hashes, off the event loop and never more than two at once."""

import asyncio
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

from app.errors import AppError, ErrorKind

if TYPE_CHECKING:
    from argon2 import PasswordHasher

Result = TypeVar("Result")

# The least that OWASP recommends: 19 MiB and about 25 ms; the library's own default takes 64 MiB and four threads.
MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
AT_ONCE = 2
MAX_PASSWORD = 256  # characters
PATIENCE = 5.0  # seconds to wait for a turn

# The hash of a password nobody knows: an unknown user costs the same work as a known one.
DUMMY_HASH = "$argon2id$v=19$m=19456,t=2,p=1$mvgofuA7dGof8Tdou+JmUQ$I4fl/4K85Wywhka8DEFlRFZ21gY8ikmiMakFI9gWW+w"

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


async def hash_password(password: str) -> str:
    secret = _encoded(password)
    if secret is None:
        raise AppError(
            ErrorKind.invalid, "invalid_text", "The password is too long, or holds characters that are not text."
        )
    return await _in_turn(lambda: _hasher().hash(secret))


async def verify_password(password: str, stored: str | None) -> bool:
    """Whether the password is right; without a stored hash the same work is done and the answer is no."""
    secret = _encoded(password)
    known = stored is not None and secret is not None
    hashed = stored if stored is not None and known else DUMMY_HASH
    return await _in_turn(lambda: _matches(hashed, secret or b"")) and known


def needs_rehash(stored: str) -> bool:
    return _hasher().check_needs_rehash(stored)


def _encoded(password: str) -> bytes | None:
    # NFC: one password typed on two keyboards is one password. NFKC would also make different ones alike. To normalise
    # takes quadratic time, and what is longer than any password is none.
    if len(password) > MAX_PASSWORD:
        return None
    try:
        return unicodedata.normalize("NFC", password).encode()
    except UnicodeEncodeError:
        return None


def _matches(stored: str, secret: bytes) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(stored, secret)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


async def _in_turn(work: Callable[[], Result]) -> Result:
    loop = asyncio.get_running_loop()
    turns = _turns.setdefault(loop, asyncio.Semaphore(AT_ONCE))
    try:
        async with asyncio.timeout(PATIENCE):
            await turns.acquire()
    except TimeoutError:
        raise AppError(
            ErrorKind.unavailable, "busy", "Too many people are signing in right now. Try again.", retry_after=2
        ) from None
    running = loop.run_in_executor(None, work)
    # A caller that goes away does not end the thread: the turn is over when the work is.
    running.add_done_callback(lambda _: turns.release())
    return await asyncio.shield(running)

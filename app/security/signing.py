"""Signed texts: cookies, CSRF tokens, links. The only user of itsdangerous."""

import hashlib
from datetime import timedelta
from functools import lru_cache

from itsdangerous import BadData, TimestampSigner

from app.security.keys import Keyring

MAX_LENGTH = 1024


def sign(keyring: Keyring, purpose: str, value: str) -> str:
    """The value with time and signature. What was signed for one purpose is worthless for any other."""
    return _signer(keyring, purpose).sign(value).decode()


def unsign(keyring: Keyring, purpose: str, text: str, max_age: timedelta) -> str | None:
    """The value, or None when it was altered, is too old, or was signed for something else."""
    if len(text) > MAX_LENGTH or not text.isascii():
        return None
    try:
        return _signer(keyring, purpose).unsign(text, max_age=int(max_age.total_seconds())).decode()
    except (BadData, ValueError, OverflowError):
        return None


def sign_detached(keyring: Keyring, purpose: str, value: str) -> str:
    """Time and signature only, for a value that the other side need not see."""
    return sign(keyring, purpose, value)[len(value) + 1 :]


def verify_detached(keyring: Keyring, purpose: str, value: str, signature: str, max_age: timedelta) -> bool:
    return unsign(keyring, purpose, f"{value}.{signature}", max_age) == value


@lru_cache(maxsize=64)
def _signer(keyring: Keyring, purpose: str) -> TimestampSigner:
    # itsdangerous wants the newest key last. Its defaults are SHA-1 and no HMAC in the key derivation.
    keys = list(reversed(keyring.keys(f"signing {purpose}")))
    return TimestampSigner(keys, salt=f"teahouse.{purpose}", key_derivation="hmac", digest_method=hashlib.sha256)

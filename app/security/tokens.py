"""Random prefixed tokens and their digests; only digests are ever stored."""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode

API_KEY = "th_"
REFRESH = "thr_"
INVITE = "thi_"

_BODY = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token(prefix: str) -> str:
    """256 random bits; the prefix tells people and scanners what leaked."""
    return prefix + secrets.token_urlsafe(32)


def is_token(prefix: str, text: str) -> bool:
    return text.startswith(prefix) and _BODY.fullmatch(text, len(prefix)) is not None


def digest(token: str) -> str:
    """What is stored. A fast hash will do: the token itself is random."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def equal(one: str, other: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def successor(prefix: str, token: str, key: bytes) -> str:
    """The token that follows this one: whoever has the key can make it again, and nobody else."""
    made = hmac.digest(key, token.encode("utf-8", "surrogatepass"), "sha256")
    return prefix + urlsafe_b64encode(made).decode().rstrip("=")

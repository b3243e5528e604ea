"""Access tokens. The only user of python-jose, whose gaps are closed here (reliability.md 4.0)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from app.clock import utcnow
from app.errors import AppError, ErrorKind
from app.ids import new_id
from app.security.keys import Keyring

if TYPE_CHECKING:
    from jose.backends.base import Key

LIFETIME = 15 * 60
MAX_LENGTH = 2048
SKEW = 30
ISSUER = "teahouse"
AUDIENCE = "teahouse-api"

# {"alg":"HS256","typ":"JWT"}, letter for letter: no header of anybody else's is ever parsed.
# The last of 43 letters carries two idle bits, so that four spellings would decode to one signature.
_SHAPE = re.compile(r"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
_REQUIRED = {f"require_{claim}": True for claim in ("aud", "exp", "iat", "iss", "jti", "nbf", "sub")}
_NAMES = {"iss", "aud", "sub", "sid", "exp", "iat", "nbf", "jti"}


@dataclass(frozen=True, slots=True)
class Claims:
    user_id: str
    session_id: str


def invalid_token() -> AppError:
    """One answer for everything that is wrong with a credential."""
    return AppError(ErrorKind.unauthenticated, "invalid_token", "The access token is missing, wrong or expired.")


def issue(keyring: Keyring, claims: Claims) -> str:
    from jose import jwt

    now = int(utcnow().timestamp())
    payload = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": claims.user_id,
        "sid": claims.session_id,
        "exp": now + LIFETIME,
        "iat": now,
        "nbf": now,
        "jti": new_id(),
    }
    return jwt.encode(payload, keyring.key("jwt"), algorithm="HS256")


def decode(keyring: Keyring, token: str) -> Claims:
    """The claims of a token of ours that is valid now; anything else is `invalid_token`."""
    if len(token) > MAX_LENGTH or not _SHAPE.fullmatch(token):
        raise invalid_token()
    payload = _verified(keyring, token)
    now = int(utcnow().timestamp())
    if not _is_sound(payload, now):
        raise invalid_token()
    return Claims(payload["sub"], payload["sid"])


@lru_cache(maxsize=1024)
def _verified(keyring: Keyring, token: str) -> dict[str, Any]:
    """Kept, for it never changes; what does, the time, `_is_sound` looks at each time. A refusal is not kept."""
    from jose import jwt

    for key in _keys(keyring):
        try:
            return jwt.decode(token, key, algorithms=["HS256"], options=_REQUIRED, audience=AUDIENCE, issuer=ISSUER)
        except Exception:  # noqa: S112 # not only JWTError: also RecursionError, OverflowError, UnicodeEncodeError
            continue
    raise invalid_token()


def _is_sound(payload: dict[str, Any], now: int) -> bool:
    times: list[Any] = [payload[name] for name in ("exp", "iat", "nbf")]
    texts = [payload.get(name) for name in ("sub", "sid", "jti", "aud", "iss")]
    if payload.keys() != _NAMES or not all(type(t) is int for t in times) or not all(type(t) is str for t in texts):
        return False
    exp, iat, nbf = map(int, times)
    return now < exp <= iat + LIFETIME and iat <= now + SKEW and nbf <= now + SKEW


@lru_cache(maxsize=16)
def _keys(keyring: Keyring) -> "tuple[Key, ...]":
    from jose import jwk

    return tuple(jwk.construct(key, "HS256") for key in keyring.keys("jwt"))

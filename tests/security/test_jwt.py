"""Access tokens: ours pass, everything else is the same refusal. (A27–A30, measurements.md 6.10)"""

import base64
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from jose import jwe
from jose import jwt as jose
from jose.utils import base64url_encode

from app.clock import utcnow
from app.errors import AppError
from app.security import jwt, signing
from app.security.keys import Keyring

OLD, NEW = b"o" * 32, b"n" * 32
RING = Keyring(NEW)
CLAIMS = jwt.Claims("0198c0de-0000-7000-8000-000000000001", "0198c0de-0000-7000-8000-000000000002")
KEY = RING.key("jwt")


def payload(**changes: Any) -> dict[str, Any]:
    """A sound payload with some claims changed; `...` removes one."""
    now = int(time.time())
    times = {"exp": now + 900, "iat": now, "nbf": now}
    claims = {"iss": "teahouse", "aud": "teahouse-api", "sub": CLAIMS.user_id, "sid": CLAIMS.session_id, "jti": "j"}
    return {name: value for name, value in {**claims, **times, **changes}.items() if value is not ...}


def signed(claims: Any, header: dict[str, Any] | None = None, key: bytes = KEY, head: bytes | None = None) -> str:
    """A token with a right signature over whatever header and claims."""
    import hashlib
    import hmac

    first = (
        head
        if head is not None
        else json.dumps(header or {"alg": "HS256", "typ": "JWT"}, separators=(",", ":")).encode()
    )
    body = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    text = base64url_encode(first) + b"." + base64url_encode(body)
    mac = hmac.digest(key, text, hashlib.sha256)
    return (text + b"." + base64url_encode(mac)).decode()


def refused(token: str) -> None:
    with pytest.raises(AppError) as error:
        jwt.decode(RING, token)
    assert (error.value.kind, error.value.code) == ("unauthenticated", "invalid_token")
    assert error.value.detail == jwt.invalid_token().detail
    assert error.value.errors == () and error.value.__cause__ is None


def test_ours_is_accepted() -> None:
    token = jwt.issue(RING, CLAIMS)
    assert jwt.decode(RING, token) == CLAIMS
    claims = jose.get_unverified_claims(token)
    assert set(claims) == {"iss", "aud", "sub", "sid", "exp", "iat", "nbf", "jti"}
    assert claims["exp"] - claims["iat"] == 15 * 60
    assert jose.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    assert jwt.issue(RING, CLAIMS) != token, "each has a jti of its own"


def test_one_that_was_accepted_is_refused_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    token = jwt.issue(RING, CLAIMS)
    assert jwt.decode(RING, token) == CLAIMS
    now = utcnow()
    monkeypatch.setattr(jwt, "utcnow", lambda: now + timedelta(minutes=14))
    assert jwt.decode(RING, token) == CLAIMS
    monkeypatch.setattr(jwt, "utcnow", lambda: now + timedelta(minutes=15, seconds=1))
    refused(token)


def test_the_forger_of_these_tests_can_make_a_valid_one() -> None:
    assert jwt.decode(RING, signed(payload())) == CLAIMS


def test_after_a_rotation_the_old_secret_is_tried() -> None:
    token = jwt.issue(Keyring(OLD), CLAIMS)
    assert jwt.decode(Keyring(NEW, OLD), token) == CLAIMS
    refused(token)


HEADERS: list[dict[str, Any]] = [
    {"alg": "none"},
    {"alg": "None", "typ": "JWT"},
    {"alg": "NONE", "typ": "JWT"},
    {"alg": "HS384", "typ": "JWT"},
    {"alg": "HS512", "typ": "JWT"},
    {"alg": "RS256", "typ": "JWT"},
    {"alg": "ES256", "typ": "JWT"},
    {"alg": "hs256", "typ": "JWT"},
    {"typ": "JWT"},
    {"alg": ["HS256"], "typ": "JWT"},
    {"alg": "HS256"},
    {"typ": "JWT", "alg": "HS256"},
    {"alg": "HS256", "typ": "JWT", "crit": ["exp"]},
    {"alg": "HS256", "typ": "JWT", "crit": ["unknown"], "b64": False},
    {"alg": "HS256", "typ": "JWT", "zip": "DEF"},
    {"alg": "HS256", "typ": "JWT", "kid": "../../../../dev/null"},
    {"alg": "HS256", "typ": "JWT", "kid": "' UNION SELECT 'x"},
    {"alg": "HS256", "typ": "JWT", "jku": "http://127.0.0.1:1/keys"},
    {"alg": "HS256", "typ": "JWT", "x5u": "http://127.0.0.1:1/cert"},
    {"alg": "HS256", "typ": "JWT", "jwk": {"kty": "oct", "k": "AAAA"}},
    {"alg": "HS256", "typ": "JWT", "x5c": ["AAAA"]},
]


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: json.dumps(header)[:40])
def test_A27_A28_any_other_header_is_refused_though_the_signature_fits(header: dict[str, Any]) -> None:
    refused(signed(payload(), header))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_A27_another_algorithm_with_the_right_key(algorithm: str) -> None:
    refused(jose.encode(payload(), KEY, algorithm=algorithm))


def test_A27_a_public_key_is_no_secret() -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    pair = rsa.generate_private_key(65537, 2048)
    pem = pair.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = pair.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    refused(jose.encode(payload(), pem, algorithm="RS256"))
    refused(signed(payload(), key=public))


CLAIMS_TABLE: list[dict[str, Any]] = [
    *({name: ...} for name in ("iss", "aud", "sub", "sid", "exp", "iat", "nbf", "jti")),
    *({name: None} for name in ("iss", "aud", "sub", "sid", "exp", "iat", "nbf", "jti")),
    {"iss": "other"},
    {"iss": ["teahouse"]},
    {"aud": "other"},
    {"aud": ["teahouse-api"]},
    {"aud": ["teahouse-api", "other"]},
    {"sub": 5},
    {"sub": ["a"]},
    {"sid": 5},
    {"sid": {"a": 1}},
    {"jti": 5},
    {"exp": int(time.time()) - 1},
    {"exp": 0},
    {"exp": -1},
    {"exp": str(int(time.time()) + 900)},
    {"exp": time.time() + 900},
    {"exp": 1e308},
    {"exp": True},
    {"exp": 10**30},
    {"exp": int(time.time()) + 3600},
    {"iat": int(time.time()) + 3600, "exp": int(time.time()) + 3601},
    {"iat": str(int(time.time()))},
    {"nbf": int(time.time()) + 3600},
    {"nbf": [1]},
    {"role": "admin"},
    {"scope": "admin"},
]


@pytest.mark.parametrize("changes", CLAIMS_TABLE, ids="-".join)  # the times in it differ from run to run
def test_A27_claims_that_are_not_ours_are_refused_though_the_signature_fits(changes: dict[str, Any]) -> None:
    refused(signed(payload(**changes)))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"5",
        b"{",
        b"\xff\xfe",
        b'{"exp": Infinity}',
        json.dumps(payload()).replace('"exp": ', '"exp": 1e999, "x": ').encode(),
        b'{"sub": "\\ud800"}',
        b"[" * 700 + b"]" * 700,
        b'{"a":' * 250 + b"1" + b"}" * 250,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_A27_a_body_that_is_no_set_of_claims(body: bytes) -> None:
    refused(signed(body))


def _last_character(token: str) -> list[str]:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return [token[:-1] + letter for letter in alphabet if letter != token[-1]]


def test_A27_the_last_character_of_the_signature_counts() -> None:
    for changed in _last_character(jwt.issue(RING, CLAIMS)):
        refused(changed)


CHANGES: list[Callable[[str], str]] = [
    lambda t: "",
    lambda t: t.rpartition(".")[0] + ".",
    lambda t: t.rpartition(".")[0],
    lambda t: t + "=",
    lambda t: t + "\n",
    lambda t: " " + t,
    lambda t: t + "\0",
    lambda t: t + ".",
    lambda t: t.replace(".", "..", 1),
    lambda t: t.upper(),
    lambda t: t + "A" * 4,
    lambda t: t.replace("e", "е", 1),  # a Cyrillic letter
    lambda t: t[:10] + "%00" + t[10:],
    lambda t: "\ud800" + t,
    lambda t: ".".join([*t.split("."), "x", "y"]),
]


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_A27_A30_a_token_that_was_touched(number: int) -> None:
    refused(CHANGES[number](jwt.issue(RING, CLAIMS)))


def test_A27_other_credentials_are_no_access_tokens() -> None:
    refused("th_" + "A" * 43)
    refused("thr_" + "A" * 43)
    refused(signing.sign(RING, "session", CLAIMS.session_id))
    refused(signed(payload(), key=RING.key("signing session")))
    refused(signed(payload(), key=RING.key("refresh")))
    refused(signed(payload(), key=NEW))
    refused(signed(payload(), key=b""))


def test_A29_an_encrypted_token_is_never_opened() -> None:
    token = jwe.encrypt(b"x" * 100, KEY, algorithm="dir", encryption="A128CBC-HS256", zip="DEF").decode()
    assert token.count(".") == 4
    refused(token)


def test_A29_a_deep_header_and_a_huge_token_cost_nothing() -> None:
    deep = base64.urlsafe_b64encode(b'{"alg":' + b"[" * 1000 + b"]" * 1000 + b"}").decode().rstrip("=")
    huge = jwt.issue(RING, CLAIMS)[:36] + "." + "A" * (8 * 1024 * 1024) + "." + "A" * 43
    began = time.thread_time()
    refused(f"{deep}.e30.{'A' * 43}")
    refused(huge)
    refused("." * 1_000_000)
    assert time.thread_time() - began < 0.1

"""Signed texts: for one purpose, for a while, by this server. (A34)"""

import base64
from datetime import timedelta

import pytest
from itsdangerous import Signer, TimestampSigner

from app.security import signing
from app.security.keys import Keyring

DAY = timedelta(days=1)
KEYS = Keyring(b"a" * 32)


def test_what_was_signed_comes_back() -> None:
    for value in ("", "plain", "with.dots.inside", "茶馆"[:0] + "x" * 500):
        assert signing.unsign(KEYS, "session", signing.sign(KEYS, "session", value), DAY) == value


def test_A34_a_text_for_one_purpose_is_worthless_for_another() -> None:
    signed = signing.sign(KEYS, "session", "id")
    assert signing.unsign(KEYS, "csrf", signed, DAY) is None


def test_A34_every_changed_character_is_noticed() -> None:
    signed = signing.sign(KEYS, "session", "0198c0de")
    for place, letter in enumerate(signed[:-1]):
        changed = signed[:place] + ("A" if letter != "A" else "B") + signed[place + 1 :]
        assert signing.unsign(KEYS, "session", changed, DAY) is None, place


@pytest.mark.parametrize("text", ["", ".", "..", "id", "id.a.b", "é.x.y", "\ud800", "x" * 5000, "id." + "A" * 900])
def test_A34_anything_else_is_none(text: str) -> None:
    assert signing.unsign(KEYS, "session", text, DAY) is None


def test_A34_an_unsigned_or_weakly_signed_text_is_none() -> None:
    key = KEYS.key("signing session")
    for forged in (
        Signer(key).sign("id"),
        TimestampSigner(key).sign("id"),
        TimestampSigner(key, salt="teahouse.session").sign("id"),
        TimestampSigner(b"", salt="teahouse.session").sign("id"),
    ):
        assert signing.unsign(KEYS, "session", forged.decode(), DAY) is None


def test_A34_an_old_or_a_future_text_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    now = TimestampSigner(b"x").get_timestamp()
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: now - 3601)
    old = signing.sign(KEYS, "session", "id")
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: now + 3600)
    future = signing.sign(KEYS, "session", "id")
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: now)
    assert signing.unsign(KEYS, "session", old, timedelta(hours=1)) is None
    assert signing.unsign(KEYS, "session", old, timedelta(hours=2)) == "id"
    assert signing.unsign(KEYS, "session", future, DAY) is None


def test_A34_after_a_rotation_old_texts_count_as_long_as_the_old_secret_is_kept() -> None:
    old, new = b"o" * 32, b"n" * 32
    signed = signing.sign(Keyring(old), "session", "id")
    assert signing.unsign(Keyring(new, old), "session", signed, DAY) == "id"
    assert signing.unsign(Keyring(new), "session", signed, DAY) is None
    fresh = signing.sign(Keyring(new, old), "session", "id")
    assert signing.unsign(Keyring(new), "session", fresh, DAY) == "id", "the newest secret signs"


def test_a_detached_signature_fits_its_value_alone() -> None:
    signature = signing.sign_detached(KEYS, "csrf", "session-id")
    assert "session-id" not in signature
    assert signing.verify_detached(KEYS, "csrf", "session-id", signature, DAY)
    for value in ("session-ie", "", "session-id.", base64.b64encode(b"session-id").decode()):
        assert not signing.verify_detached(KEYS, "csrf", value, signature, DAY)
    # Moving the dot must not make two splits of one text.
    stamp, mac = signature.split(".")
    assert not signing.verify_detached(KEYS, "csrf", f"session-id.{stamp}", mac, DAY)

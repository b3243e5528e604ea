"""The age format, against another program's hand of it."""

import io
import secrets

import pyrage
import pytest

from app.security import age
from app.security.age import CHUNK, AgeError, Identity, Passphrase, Recipient

SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5)
WORDS = "correct horse battery staple"


def written(data: bytes, to: Recipient | Passphrase) -> bytes:
    target = io.BytesIO()
    age.encrypt(io.BytesIO(data), target, to)
    return target.getvalue()


def read(content: bytes, by: Identity | Passphrase | bytes) -> bytes:
    target = io.BytesIO()
    age.decrypt(io.BytesIO(content), target, by)
    return target.getvalue()


@pytest.mark.parametrize("size", SIZES)
def test_another_program_reads_ours_and_we_read_its(size: int) -> None:
    data = secrets.token_bytes(size)
    theirs = pyrage.x25519.Identity.generate()
    ours = Identity.parse(str(theirs))
    assert (str(ours), str(ours.recipient)) == (str(theirs), str(theirs.to_public()))
    assert pyrage.decrypt(written(data, ours.recipient), [theirs]) == data
    assert read(pyrage.encrypt(data, [theirs.to_public()]), ours) == data
    several = [pyrage.x25519.Identity.generate().to_public(), theirs.to_public()]
    assert read(pyrage.encrypt(data, several), ours) == data


def test_a_passphrase_too() -> None:
    data = secrets.token_bytes(100)
    assert pyrage.passphrase.decrypt(written(data, Passphrase(WORDS.encode())), WORDS) == data
    with pytest.raises(AgeError, match="does not fit"):
        read(written(data, Passphrase(WORDS.encode())), Passphrase(b"another one"))


def test_the_key_of_a_file_opens_it_and_no_other() -> None:
    target = io.BytesIO()
    to = Identity.generate().recipient
    key = age.encrypt(io.BytesIO(b"tea"), target, to)
    assert read(target.getvalue(), key) == b"tea"
    with pytest.raises(AgeError):
        read(written(b"tea", to), key)


def test_another_key_does_not_fit() -> None:
    with pytest.raises(AgeError, match="does not fit"):
        read(written(b"tea", Identity.generate().recipient), Identity.generate())


def test_whatever_is_changed_is_noticed() -> None:
    identity = Identity.generate()
    content = written(secrets.token_bytes(2 * CHUNK + 10), identity.recipient)
    places = {*range(0, 230), *secrets.SystemRandom().sample(range(len(content)), 40), len(content) - 1}
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1
        with pytest.raises(AgeError):
            read(bytes(changed), identity)
    head = len(content) - (2 * (CHUNK + 16) + 26)
    for length in (0, 10, head, head + CHUNK + 16, head + 2 * (CHUNK + 16), len(content) - 1):
        with pytest.raises(AgeError):
            read(content[:length], identity)
    for more in (b"x", content[-26:], bytes(16)):
        with pytest.raises(AgeError):
            read(content + more, identity)


def test_a_file_cannot_ask_for_endless_work() -> None:
    content = written(b"tea", Passphrase(b"x")).replace(b" 16\n", b" 40\n", 1)
    with pytest.raises(AgeError, match="more work"):
        read(content, Passphrase(b"x"))


@pytest.mark.parametrize(
    "text",
    [
        *("", "age1", "age1qqqq", "hello"),
        pytest.param(str(Identity.generate()), id="the secret half"),
        pytest.param(str(Identity.generate().recipient)[:-1] + "b", id="a wrong letter"),
    ],
)
def test_what_is_no_recipient_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Recipient.parse(text)

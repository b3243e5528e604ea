"""Files in the age format (age-encryption.org/v1): for an X25519 key or a passphrase. `age -d` reads them, too."""

import hmac
import secrets
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from app.security import bech32

VERSION = b"age-encryption.org/v1\n"
CHUNK, TAG = 65_536, 16
WORK_FACTOR, MOST_WORK = 16, 20  # 2^16: 64 MB and a fifth of a second for each guess
MAX_HEADER = 16_384
_NO_NONCE = bytes(12)  # each key that it goes with is used once
_X25519, _SCRYPT = b"age-encryption.org/v1/X25519", b"age-encryption.org/v1/scrypt"


class AgeError(Exception):
    """The key does not fit, or the file is damaged; nothing that was read of it may be used."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """`age1…`: whoever has it can write for its identity, and read nothing."""

    public: bytes

    @classmethod
    def parse(cls, text: str) -> "Recipient":
        return cls(_decoded(text, "age", 32))

    def __str__(self) -> str:
        return bech32.encode("age", self.public)

    def wrap(self, file_key: bytes) -> tuple[bytes, bytes]:
        once = X25519PrivateKey.generate()
        share = once.public_key().public_bytes_raw()
        shared = once.exchange(X25519PublicKey.from_public_bytes(self.public))
        key = _hkdf(shared, _X25519, share + self.public)
        return b"X25519 " + _b64(share), _sealed(key, file_key)


@dataclass(frozen=True, slots=True)
class Identity:
    """`AGE-SECRET-KEY-1…`"""

    secret: bytes

    @classmethod
    def generate(cls) -> "Identity":
        return cls(X25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> "Identity":
        return cls(_decoded(text, "age-secret-key-", 32))

    def __str__(self) -> str:
        return bech32.encode("age-secret-key-", self.secret).upper()

    @property
    def recipient(self) -> Recipient:
        return Recipient(X25519PrivateKey.from_private_bytes(self.secret).public_key().public_bytes_raw())

    def unwrap(self, arguments: list[bytes], body: bytes) -> bytes | None:
        if arguments[0] != b"X25519" or len(arguments) != 2:
            return None
        share = _unb64(arguments[1])
        try:
            shared = X25519PrivateKey.from_private_bytes(self.secret).exchange(X25519PublicKey.from_public_bytes(share))
        except ValueError:
            return None
        return _opened(_hkdf(shared, _X25519, share + self.recipient.public), body)


@dataclass(frozen=True, slots=True)
class Passphrase:
    text: bytes

    def wrap(self, file_key: bytes) -> tuple[bytes, bytes]:
        salt = secrets.token_bytes(16)
        arguments = b"scrypt " + _b64(salt) + b" " + str(WORK_FACTOR).encode()
        return arguments, _sealed(self._key(salt, WORK_FACTOR), file_key)

    def unwrap(self, arguments: list[bytes], body: bytes) -> bytes | None:
        if arguments[0] != b"scrypt" or len(arguments) != 3 or not arguments[2].isdigit():
            return None
        work = int(arguments[2])
        if work > MOST_WORK:
            raise AgeError("The file asks for more work than anybody needs.")
        return _opened(self._key(_unb64(arguments[1]), work), body)

    def _key(self, salt: bytes, work: int) -> bytes:
        return Scrypt(salt=_SCRYPT + salt, length=32, n=2**work, r=8, p=1).derive(self.text)


def encrypt(source: IO[bytes], target: IO[bytes], to: Recipient | Passphrase) -> bytes:
    """The key of this one file: with it, what was written can be read again and compared."""
    file_key = secrets.token_bytes(16)
    arguments, body = to.wrap(file_key)
    header = VERSION + b"-> " + arguments + b"\n" + _b64(body) + b"\n---"
    nonce = secrets.token_bytes(16)
    target.write(header + b" " + _b64(_mac(file_key, header)) + b"\n" + nonce)
    cipher = ChaCha20Poly1305(_hkdf(file_key, b"payload", nonce))
    for number, chunk, is_last in _chunks(source, CHUNK):
        target.write(cipher.encrypt(_nonce(number, is_last), chunk, None))
    return file_key


def decrypt(source: IO[bytes], target: IO[bytes], by: "Identity | Passphrase | bytes") -> None:
    """`by` may be the key of the one file. Raises AgeError; what was written until then may not be used."""
    file_key = _file_key(source, by)
    cipher = ChaCha20Poly1305(_hkdf(file_key, b"payload", _exactly(source, 16)))
    for number, chunk, is_last in _chunks(source, CHUNK + TAG):
        try:
            plain = cipher.decrypt(_nonce(number, is_last), chunk, None)
        except (InvalidTag, ValueError):
            raise AgeError("The file is damaged, or cut.") from None
        if number and not plain:
            raise AgeError("The file is damaged.")
        target.write(plain)


def is_encrypted(start: bytes) -> bool:
    return start.startswith(VERSION)


def _file_key(source: IO[bytes], by: "Identity | Passphrase | bytes") -> bytes:
    if source.readline(len(VERSION)) != VERSION:
        raise AgeError("The file is not encrypted by age.")
    header, found = VERSION, None
    while True:
        line = source.readline(MAX_HEADER)
        if line.startswith(b"--- "):
            break
        if not line.startswith(b"-> ") or len(header) > MAX_HEADER:
            raise AgeError("The file is damaged.")
        body = _stanza_body(source)
        header += line + body
        if found is None and not isinstance(by, bytes):
            found = by.unwrap(line[3:].split(), _unb64(body.replace(b"\n", b"")))
    file_key = by if isinstance(by, bytes) else found
    if file_key is None:
        raise AgeError("The key does not fit.")
    if not hmac.compare_digest(_mac(file_key, header + b"---"), _unb64(line[4:].strip())):
        raise AgeError("The file is damaged.")
    return file_key


def _stanza_body(source: IO[bytes]) -> bytes:
    """To its first line of fewer than 64 letters."""
    body = b""
    while True:
        line = source.readline(66)
        body += line
        if len(line) < 65 or len(body) > MAX_HEADER:
            return body


def _chunks(source: IO[bytes], size: int) -> Iterator[tuple[int, bytes, bool]]:
    """Number, bytes and whether it is the last: an empty file has one empty chunk."""
    chunk, number = source.read(size), 0
    while True:
        following = source.read(size) if len(chunk) == size else b""
        yield number, chunk, not following
        if not following:
            return
        chunk, number = following, number + 1


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


def _exactly(source: IO[bytes], length: int) -> bytes:
    content = source.read(length)
    if len(content) != length:
        raise AgeError("The file is cut.")
    return content


def _hkdf(key: bytes, info: bytes, salt: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=salt, info=info).derive(key)


def _mac(file_key: bytes, header: bytes) -> bytes:
    return hmac.digest(_hkdf(file_key, b"header", b""), header, "sha256")


def _sealed(key: bytes, file_key: bytes) -> bytes:
    return ChaCha20Poly1305(key).encrypt(_NO_NONCE, file_key, None)


def _opened(key: bytes, body: bytes) -> bytes | None:
    try:
        return ChaCha20Poly1305(key).decrypt(_NO_NONCE, body, None) if len(body) == 32 else None
    except InvalidTag:
        return None


def _b64(data: bytes) -> bytes:
    return b64encode(data).rstrip(b"=")


def _unb64(text: bytes) -> bytes:
    try:
        data = b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except Base64Error:
        raise AgeError("The file is damaged.") from None
    if _b64(data) != text:  # bits that say nothing
        raise AgeError("The file is damaged.")
    return data


def _decoded(text: str, prefix: str, length: int) -> bytes:
    found, data = bech32.decode(text)
    if found != prefix or len(data) != length:
        raise ValueError(f"{prefix.upper()}1… is expected")
    return data

"""The server's one secret, and the keys derived from it, one per purpose."""

import hmac
import os
import secrets
from functools import cached_property, lru_cache
from pathlib import Path

from app.settings import Settings

SECRET_BYTES = 32
FILE, OLD_FILE = "secret.key", "secret.key.old"


class Keyring:
    """Keys by purpose. The first secret signs; the others are only tried, so that a rotation signs nobody out."""

    def __init__(self, *secrets_newest_first: bytes) -> None:
        if not secrets_newest_first or any(len(secret) < SECRET_BYTES for secret in secrets_newest_first):
            raise ValueError(f"A secret must have at least {SECRET_BYTES} bytes")
        self._secrets = secrets_newest_first
        self._derived: dict[str, tuple[bytes, ...]] = {}

    def keys(self, purpose: str) -> tuple[bytes, ...]:
        """Newest first; the first one signs."""
        if purpose not in self._derived:
            self._derived[purpose] = tuple(_derive(secret, purpose) for secret in self._secrets)
        return self._derived[purpose]

    def key(self, purpose: str) -> bytes:
        return self.keys(purpose)[0]

    @cached_property
    def fingerprint(self) -> str:
        """Tells two secrets apart without telling anything of them."""
        return self.key("fingerprint").hex()[:8]

    @property
    def older_fingerprints(self) -> tuple[str, ...]:
        """Of the secrets before a rotation."""
        return tuple(key.hex()[:8] for key in self.keys("fingerprint")[1:])

    def __repr__(self) -> str:
        return f"Keyring({len(self._secrets)})"


@lru_cache(maxsize=16)
def _keyring(data_dir: Path, secret: str) -> Keyring:
    newest = secret.encode() if secret else load_or_create(data_dir / FILE)
    old = _read(data_dir / OLD_FILE)
    return Keyring(newest, *([old] if old else []))


def keyring_of(settings: Settings) -> Keyring:
    """The process's keyring; made with its secret at the first start. A rotated file counts after a restart."""
    return _keyring(settings.data_dir.absolute(), settings.secret_key)


def load_or_create(path: Path) -> bytes:
    """The secret in the file. Of several processes that start together exactly one makes it."""
    existing = _read(path)
    if existing is not None:
        return existing
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        _write_new(draft, secrets.token_bytes(SECRET_BYTES).hex().encode())
        # A link either exists whole or not at all, and never replaces another process's.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
    made = _read(path)
    if made is None:
        raise RuntimeError(f"{path} could not be made")
    return made


def _write_new(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> bytes | None:
    try:
        content = path.read_bytes().strip()
    except FileNotFoundError:
        return None
    if len(content) < SECRET_BYTES:
        raise RuntimeError(f"{path} is too short to be a secret. Restore it from a backup, or remove it.")
    return content


def _derive(secret: bytes, purpose: str) -> bytes:
    """HKDF-SHA256 (RFC 5869) of one block. By the standard library: every process needs it, and 8 MB are 8 MB."""
    extracted = hmac.digest(bytes(SECRET_BYTES), secret, "sha256")
    return hmac.digest(extracted, f"teahouse {purpose}\x01".encode(), "sha256")

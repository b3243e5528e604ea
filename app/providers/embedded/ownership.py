"""Which of several server processes owns the child, and where the others find it."""

import fcntl
import json
import os
import secrets
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

_MAX_SOCKET_PATH = 100  # the kernel allows 108 bytes with the closing NUL, macOS 104
_SHORT_PREFIX = "teahouse-"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a child listens, and its key. Every start has a new one."""

    socket: str
    key: str


class Ownership:
    """A lock file in `<data>/run/embedded/`; the kernel frees it when its holder dies, however that comes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._address_file = folder / "address.json"
        self._lock: int | None = None

    @property
    def is_held(self) -> bool:
        return self._lock is not None

    def acquire(self) -> bool:
        """True if the child is ours to start; what a dead owner left behind is removed then."""
        if self._lock is not None:
            return True
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        lock = os.open(self._folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            return False
        self._lock = lock
        self._sweep()
        return True

    def release(self) -> None:
        if self._lock is not None:
            self._sweep()
            os.close(self._lock)
            self._lock = None

    def new_address(self) -> Address:
        """A fresh socket path, in a short folder of its own where the data folder lies too deep for a socket."""
        folder = self._folder.absolute()
        name = f"{secrets.token_hex(4)}.sock"
        if len(os.fsencode(folder / name)) > _MAX_SOCKET_PATH:
            folder = Path(tempfile.mkdtemp(prefix=_SHORT_PREFIX))
        return Address(str(folder / name), secrets.token_urlsafe(24))

    def publish(self, address: Address) -> None:
        """Lets the other processes connect."""
        draft = self._folder / "address.json.new"
        descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(address), file)
        draft.replace(self._address_file)

    def published(self) -> Address | None:
        try:
            return Address(**json.loads(self._address_file.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def remove(self, address: Address) -> None:
        """The socket, and its folder if that is a short one."""
        socket = Path(address.socket)
        socket.unlink(missing_ok=True)
        if socket.parent.parent == Path(tempfile.gettempdir()) and socket.parent.name.startswith(_SHORT_PREFIX):
            with suppress(OSError):
                socket.parent.rmdir()

    def _sweep(self) -> None:
        """Only with the lock: no living child uses these."""
        if (address := self.published()) is not None and address.socket.endswith(".sock"):
            self.remove(address)
        self._address_file.unlink(missing_ok=True)
        for socket in self._folder.glob("*.sock"):
            socket.unlink(missing_ok=True)

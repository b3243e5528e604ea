"""Who listens on a port of this machine, as the kernel tells its users."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

LISTENS = "0A"  # linux/include/net/tcp_states.h


def holder_of(port: int) -> str | None:
    """The process, as a person would look for it; None where the kernel does not tell (another user's, no /proc)."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    for folder in Path("/proc").glob("[0-9]*") if sockets else ():
        with suppress(OSError):
            if any(os.readlink(file) in sockets for file in (folder / "fd").iterdir()):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                return f"process {folder.name} ({command[:80]})"
    return None


def _inodes(port: int) -> Iterator[str]:
    """Of the sockets that listen there."""
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                _, address, _, state, *rest = row.split()
                if state == LISTENS and int(address.rsplit(":", 1)[1], 16) == port:
                    yield rest[5]

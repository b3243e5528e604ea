"""Who is alive on this machine: each process holds a file lock that the kernel frees when it dies."""

import fcntl
import os
from pathlib import Path


class ProcessLock:
    """This process's sign of life, `run/<owner>.lock`. Never inherited by children."""

    def __init__(self, run_dir: Path, owner: str) -> None:
        self._path = run_dir / f"{owner}.lock"
        self._file = self._locked()
        while not self._is_in_place():  # swept by a neighbour between the two steps of taking it
            os.close(self._file)
            self._file = self._locked()

    def _locked(self) -> int:
        file = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        return file

    def _is_in_place(self) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._file))
        except FileNotFoundError:
            return False

    def close(self) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self._file)


def is_dead(run_dir: Path, owner: str) -> bool:
    """Whether the process `owner` is known to be gone. A stopped (SIGSTOP) one keeps its lock and is not."""
    try:
        file = os.open(run_dir / f"{owner}.lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(file)
    return True


def anybody_alive(run_dir: Path) -> bool:
    """Whether some process works on this data folder."""
    owners = (lock.name.removesuffix(".lock") for lock in run_dir.glob("process-*.lock"))
    return any(not is_dead(run_dir, owner) for owner in owners)


def sweep(run_dir: Path) -> None:
    """Remove what dead processes left in the run folder."""
    for lock in run_dir.glob("*.lock"):
        owner = lock.name.removesuffix(".lock")
        if owner.startswith("process-") and is_dead(run_dir, owner):
            lock.unlink(missing_ok=True)
            (run_dir / f"{owner}.sock").unlink(missing_ok=True)

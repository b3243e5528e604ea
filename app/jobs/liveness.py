"""Who is alive. On one machine each process holds a file lock that the kernel frees when it dies; on PostgreSQL it
has a connection in its name that the server ends."""

import fcntl
import os
from pathlib import Path
from typing import Any, Protocol


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


class Liveness(Protocol):
    in_doubt: bool  # look again soon

    def dead(self, connection: Any, owners: set[str], moved: set[str]) -> set[str]:
        """Those of `owners` that are known to be gone. `moved`: who has written since the last look."""
        ...


class FileLocks:
    """Of the processes of one machine."""

    in_doubt = False

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir

    def dead(self, connection: Any, owners: set[str], moved: set[str]) -> set[str]:
        return {owner for owner in owners if is_dead(self._run_dir, owner)}


_CONNECTED = "SELECT application_name FROM pg_stat_activity WHERE datname = current_database()"


class Connections:
    """Of processes anywhere: the event log's connection bears its owner's name.

    A server that has just restarted has lost everybody's, and a network may cut the same one again and again: gone is
    only who is missed twice and has written nothing in between.
    """

    def __init__(self) -> None:
        self._missed: set[str] = set()
        self.in_doubt = False

    def dead(self, connection: Any, owners: set[str], moved: set[str]) -> set[str]:
        missed = owners - {row[0] for row in connection.execute(_CONNECTED)} if owners else set()
        gone, self._missed = missed & self._missed - moved, missed
        self.in_doubt = bool(missed - gone)
        return gone

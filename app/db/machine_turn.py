"""Whose turn it is to write among the processes of this machine.

SQLite's own waiting sleeps longer with each try, 1, 2, 5, 10 … 100 ms, whatever happens meanwhile: among three writers
one commit in a hundred waits for a tenth of a second. Here the kernel wakes who waits as soon as the other has ended.
It is a courtesy and no lock: whoever has waited too long (the other was stopped, or is no Teahouse) goes on, and leaves
the rest to SQLite.
"""

import contextlib
import fcntl
import os
import threading
from pathlib import Path

PATIENCE = 1.0


class MachineTurn:
    """For one connection, in the thread that uses it."""

    def __init__(self, database: Path) -> None:
        path = database.with_name(f"{database.name}-turn")
        self._file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        self._waiter: _Waiter | None = None

    def take(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # One that gave up still waits in the kernel: no second one beside it.
            if self._waiter is None or not self._waiter.is_alive():
                self._waiter = _Waiter(self._file)
                self._waiter.wait(PATIENCE)

    def give(self) -> None:
        """Also where it was never had."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._file)


class _Waiter(threading.Thread):
    """A lock cannot be waited for with a limit, a thread can."""

    def __init__(self, file: int) -> None:
        super().__init__(name="machine-turn", daemon=True)
        self._file = os.dup(file)  # stays open for the kernel, whoever closes the other
        self._deciding = threading.Lock()
        self._had = self._given_up = False
        self._is_over = threading.Event()

    def wait(self, seconds: float) -> None:
        self.start()
        if not self._is_over.wait(seconds):
            with self._deciding:
                self._given_up = not self._had

    def run(self) -> None:
        # A process that ends closes its files while this thread still waits.
        with contextlib.suppress(OSError):
            fcntl.flock(self._file, fcntl.LOCK_EX)
            with self._deciding:
                self._had = not self._given_up
            if self._given_up:
                fcntl.flock(self._file, fcntl.LOCK_UN)
            os.close(self._file)
        self._is_over.set()

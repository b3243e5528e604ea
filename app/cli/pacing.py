"""Write much without anybody's noticing: in small steps that the disk has taken before the next one begins.

What is only handed to the system is written out later, all at once, and the commit of a server waits behind it.
"""

import ctypes
import os
import time
from collections.abc import Callable
from typing import IO, Any, cast

STEP = 2 * 1024 * 1024
LONGEST_PAUSE = 0.2
_WRITE_AND_WAIT = 1 | 2 | 4  # sync_file_range(2)


def _found() -> Callable[[int, int, int], None]:
    """On Linux without a commit of the file system's journal, which a server's own would have to wait for."""
    write_range = getattr(ctypes.CDLL(None), "sync_file_range", None)
    if write_range is None:
        return lambda descriptor, _start, _length: os.fsync(descriptor)
    write_range.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    return lambda descriptor, start, length: write_range(descriptor, start, length, _WRITE_AND_WAIT)


write_out = _found()


class Pace:
    """Call it often while a file grows. It pauses for as long as the disk has worked: others have their turn."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._taken = descriptor, 0

    def __call__(self) -> int:
        size = os.fstat(self._descriptor).st_size
        if size - self._taken >= STEP:
            began = time.monotonic()
            write_out(self._descriptor, self._taken, size - self._taken)
            self._taken = size
            time.sleep(min(time.monotonic() - began, LONGEST_PAUSE))
        return 0


class Writable:
    """What takes bytes, as far as those that write need to know."""

    def __init__(self, write: Callable[[bytes], Any]) -> None:
        self._write = write

    def write(self, data: bytes) -> int:
        self._write(data)
        return len(data)

    def flush(self) -> None:
        return None


def paced(file: IO[bytes]) -> IO[bytes]:
    pace = Pace(file.fileno())

    def write(data: bytes) -> None:
        file.write(data)
        pace()

    return cast(IO[bytes], Writable(write))

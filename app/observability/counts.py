"""Numbers that outlive a kill: a process counts in a file of its own that is mapped into its memory.

Adding to a number costs some 50 ns and no system call. The file's lock, which the kernel frees, says whether its
process lives; whoever is asked for the numbers adds up the files of all (observability/census.py).
"""

import fcntl
import mmap
import os
import threading
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import orjson

SLOTS = 32_768  # numbers of a process; pages of the file that nobody touches take no room
KEY_BYTES = 262_144
VALUE_BYTES = 8 * SLOTS
OTHER = "other"

Key = tuple[str, tuple[str, ...]]


class Numbers:
    """The numbers of one process: slot 0 is the length of the list of names that follows the numbers."""

    def __init__(self, memory: "mmap.mmap | bytearray", folder: Path | None = None) -> None:
        self._memory, self.folder = memory, folder
        self._values = memoryview(memory)[:VALUE_BYTES].cast("d")
        self._keys = memoryview(memory)[VALUE_BYTES:]
        self._free = 1
        self._lock = threading.Lock()

    def series(self, key: Key, width: int) -> "tuple[memoryview[float], int]":
        """Where `width` new numbers of that name are; where there is no room they are kept, but never told."""
        name = orjson.dumps([key[0], key[1], self._free, width]) + b"\n"
        with self._lock:
            written = int(self._values[0])
            if self._free + width > SLOTS or written + len(name) > KEY_BYTES:
                return memoryview(bytearray(8 * width)).cast("d"), 0
            at, self._free = self._free, self._free + width
            self._keys[written : written + len(name)] = name
            self._values[0] = float(written + len(name))  # last: a reader, or a kill, finds it whole or not at all
        return self._values, at

    def parsed(self) -> dict[Key, list[float]]:
        return parse(bytes(self._memory))


def parse(content: bytes) -> dict[Key, list[float]]:
    """What a process has counted, from its file."""
    values = memoryview(content)[:VALUE_BYTES].cast("d")
    found: dict[Key, list[float]] = {}
    for line in content[VALUE_BYTES : VALUE_BYTES + int(values[0])].splitlines():
        name, labels, at, width = orjson.loads(line)
        found[name, tuple(labels)] = list(values[at : at + width])
    return found


class Instrument:
    """Something that is counted, by labels of few values. Declared once, in observability/metrics.py."""

    declared: ClassVar[list["Instrument"]] = []
    numbers: ClassVar[Numbers] = Numbers(bytearray(VALUE_BYTES + KEY_BYTES))

    def __init__(self, name: str, text: str, labels: Sequence[str] = (), *, width: int = 1, most: int = 200) -> None:
        self.name, self.text, self.labels, self.width, self.most = name, text, tuple(labels), width, most
        self._series: dict[tuple[str, ...], tuple[memoryview[float], int]] = {}
        Instrument.declared.append(self)

    def at(self, labels: tuple[str, ...]) -> "tuple[memoryview[float], int]":
        found = self._series.get(labels)
        if found is None:
            if len(self._series) >= self.most:
                labels = (OTHER,) * len(labels)
                if labels in self._series:
                    return self._series[labels]
            found = self._series[labels] = Instrument.numbers.series((self.name, labels), self.width)
        return found

    @classmethod
    def keep_in(cls, numbers: Numbers) -> None:
        cls.numbers = numbers
        for instrument in cls.declared:
            instrument._series = {}


class Counter(Instrument):
    """Only grows. `add` is for one thread of a process."""

    def add(self, amount: float = 1.0, *labels: str) -> None:
        values, at = self.at(labels)
        values[at] += amount


class CounterOfTotal(Counter):
    """Somebody else counts: the total is told from time to time."""

    def set(self, total: float) -> None:
        values, at = self.at(())
        values[at] = total


class Gauge(Instrument):
    """Goes up and down, and is gone with its process."""

    def add(self, amount: float) -> None:
        values, at = self.at(())
        values[at] += amount


class Histogram(Instrument):
    """Seconds, by how many. The first number of a series is their sum."""

    def __init__(
        self, name: str, text: str, bounds: Sequence[float], labels: Sequence[str] = (), *, most: int = 200
    ) -> None:
        super().__init__(name, text, labels, width=len(bounds) + 2, most=most)
        self.bounds = tuple(bounds)

    def observe(self, seconds: float, *labels: str) -> None:
        values, at = self.at(labels)
        values[at] += seconds
        values[at + 1 + bisect_left(self.bounds, seconds)] += 1.0


class CountsFile:
    """This process's numbers in `folder`, until `close`: from then on it is a dead one's."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"{os.getpid()}-{os.urandom(4).hex()}.counts"
        draft = self.path.with_suffix(".new")
        self._file = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        os.ftruncate(self._file, VALUE_BYTES + KEY_BYTES)
        draft.rename(self.path)  # under its name it is locked already
        self._before = Instrument.numbers
        Instrument.keep_in(Numbers(mmap.mmap(self._file, 0), folder))

    def close(self) -> None:
        Instrument.keep_in(self._before)
        fcntl.flock(self._file, fcntl.LOCK_UN)
        os.close(self._file)

"""The numbers of all processes added up: those of the living, and what the dead had counted."""

import contextlib
import fcntl
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from app.observability.counts import OTHER, CountsFile, Gauge, Instrument, Key, parse

FOLDER = "metrics"  # below the run folder
PAST = "past.json"
COUNTS = "*.counts"


@dataclass(slots=True)
class Sums:
    """Numbers by name and labels, and the processes that live."""

    numbers: dict[Key, list[float]] = field(default_factory=dict)
    pids: list[int] = field(default_factory=list)
    _series: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, numbers: Iterable[tuple[Key, list[float]]], *, dead: bool = False) -> None:
        """Of the dead all but what goes with them. Names that this version does not know are left out."""
        declared = {instrument.name: instrument for instrument in Instrument.declared}
        for name, values in numbers:
            key, known = name, declared.get(name[0])
            if known is None or known.width != len(values) or (dead and isinstance(known, Gauge)):
                continue
            if key not in self.numbers and self._series[key[0]] >= known.most:
                key = (key[0], (OTHER,) * len(key[1]))  # each process has a few of its own: together they stay few
            have = self.numbers.get(key)
            if have is None:
                self._series[key[0]] += 1
            self.numbers[key] = values if have is None else [a + b for a, b in zip(have, values, strict=True)]


def enter(folder: Path) -> CountsFile:
    """Count in a file from now on. The first process of a server begins at nothing, as Prometheus expects."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    with _locked(folder):
        if not any(not _is_dead(path) for path in folder.glob(COUNTS)):
            for left in (*folder.glob(COUNTS), *folder.glob("*.new"), folder / PAST):
                left.unlink(missing_ok=True)
        return CountsFile(folder)


def everybodys(folder: Path) -> Sums:
    """What all processes have counted; the files of the dead are added to the past on the way."""
    with _locked(folder):
        sums, merged = _past(folder)
        dead = []
        for path in sorted(folder.glob(COUNTS)):
            if path.name in merged:  # added already by somebody who was killed before this
                path.unlink()
            elif _is_dead(path):
                dead.append(path)
                sums.add(parse(path.read_bytes()).items(), dead=True)
        if dead:
            _write_past(folder, sums, [path.name for path in dead])
            for path in dead:
                path.unlink()
        for path in folder.glob(COUNTS):
            sums.add(parse(path.read_bytes()).items())
            sums.pids.append(int(path.name.split("-")[0]))
    return sums


def _past(folder: Path) -> tuple[Sums, frozenset[str]]:
    sums = Sums()
    try:
        past = orjson.loads((folder / PAST).read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return sums, frozenset()
    sums.add((((name, tuple(labels)), values) for name, labels, values in past["numbers"]), dead=True)
    return sums, frozenset(past["merged"])


def _write_past(folder: Path, sums: Sums, merged: list[str]) -> None:
    """At once or not at all, with the names of the files that are in it: none is added twice."""
    numbers = [[name, labels, values] for (name, labels), values in sums.numbers.items()]
    draft = folder / f"{PAST}.new"
    draft.write_bytes(orjson.dumps({"merged": merged, "numbers": numbers}))
    draft.replace(folder / PAST)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    file = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def _is_dead(path: Path) -> bool:
    """A stopped process (SIGSTOP) keeps its lock and is not."""
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False
    finally:
        os.close(file)

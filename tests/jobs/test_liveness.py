"""A file lock that the kernel frees when its holder dies."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.jobs.liveness import ProcessLock, is_dead, sweep

ROOT = Path(__file__).parents[2]
HOLD = """
import pathlib, subprocess, sys, time
from app.jobs.liveness import ProcessLock
lock = ProcessLock(pathlib.Path(sys.argv[1]), sys.argv[2])
child = subprocess.Popen(["sleep", "60"], close_fds=False)
print(child.pid, flush=True)
time.sleep(60)
"""


@contextmanager
def holder(run_dir: Path, owner: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process with this sign of life, and the pid of its child, which outlives it."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run_dir), owner], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())
    try:
        yield process, child
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        os.kill(child, signal.SIGKILL)


def test_a_killed_process_is_known_to_be_dead_at_once_although_its_child_lives(tmp_path: Path) -> None:
    with holder(tmp_path, "process-1-a") as (process, _):
        assert not is_dead(tmp_path, "process-1-a")
        process.send_signal(signal.SIGSTOP)
        assert not is_dead(tmp_path, "process-1-a")  # stopped is not dead: for it there is the beat
        process.kill()
        process.wait()
        assert is_dead(tmp_path, "process-1-a")


def test_who_left_no_lock_is_dead(tmp_path: Path) -> None:
    assert is_dead(tmp_path, "process-1-a")


def test_a_closed_lock_is_gone(tmp_path: Path) -> None:
    lock = ProcessLock(tmp_path, "process-1-a")
    assert not is_dead(tmp_path, "process-1-a")
    lock.close()
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_takes_what_the_dead_left_and_nothing_else(tmp_path: Path) -> None:
    lock = ProcessLock(tmp_path, "process-1-alive")
    for name in ("process-1-alive.sock", "process-2-dead.lock", "process-2-dead.sock", "other.lock", "note.txt"):
        (tmp_path / name).touch()
    sweep(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"process-1-alive.lock", "process-1-alive.sock", "other.lock", "note.txt"}
    lock.close()


def test_a_sweep_between_the_two_steps_of_taking_a_lock_does_not_leave_it_without_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else everybody would take a living process for dead and run its jobs a second time."""
    flock, swept = fcntl.flock, list[bool]()

    def late(file: int, how: int) -> None:
        if not swept and how == fcntl.LOCK_EX:
            swept.append(True)
            sweep(tmp_path)
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    lock = ProcessLock(tmp_path, "process-1-a")
    assert swept
    assert not is_dead(tmp_path, "process-1-a")
    lock.close()

"""Processes that write by turns: nobody starves, and nobody waits for one that stands still."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.db import sqlite
from app.db.machine_turn import PATIENCE, MachineTurn

WRITING = """
import sys, time
from pathlib import Path
from app.db import sqlite
from app.db.machine_turn import MachineTurn

path, hold, pause = Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
connection, turn = sqlite.connect(str(path), write=True), MachineTurn(path)
print("ready", flush=True)
while True:
    turn.take()
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE rounds SET n = n + 1")
    time.sleep(hold)
    connection.execute("COMMIT")
    turn.give()
    time.sleep(pause)
"""

Other = Callable[[float, float], subprocess.Popen[str]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "x.db"
    connection = sqlite.connect(str(path), write=True)
    connection.execute("CREATE TABLE rounds AS SELECT 0 AS n")
    connection.close()
    return path


@pytest.fixture
def other(path: Path) -> Iterator[Other]:
    """A process that writes again and again: seconds with the turn, and between two."""
    started: list[subprocess.Popen[str]] = []

    def start(hold: float, pause: float) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", WRITING, str(path), str(hold), str(pause)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def turn(path: Path) -> Iterator[MachineTurn]:
    turn = MachineTurn(path)
    yield turn
    turn.close()


def _write(path: Path, turn: MachineTurn, times: int) -> int:
    """How many rounds the others made meanwhile."""
    connection = sqlite.connect(str(path), write=True)
    (before,) = connection.execute("SELECT n FROM rounds").fetchone()
    for _ in range(times):
        turn.take()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE rounds SET n = n + 1")
        connection.execute("COMMIT")
        turn.give()
        time.sleep(0.01)
    (after,) = connection.execute("SELECT n FROM rounds").fetchone()
    connection.close()
    return int(after - before - times)


def test_who_waits_comes_next_however_busy_the_others_are(path: Path, turn: MachineTurn, other: Other) -> None:
    """By SQLite's own waiting alone, two that hold it nearly all of the time let nobody in for seconds."""
    other(0.05, 0.002)
    other(0.05, 0.002)
    assert _write(path, turn, 15) < 15 * 5


def test_one_that_was_killed_in_its_turn_is_waited_for_no_longer(path: Path, turn: MachineTurn, other: Other) -> None:
    process = other(5.0, 0.0)
    time.sleep(0.1)
    threading.Timer(0.2, process.kill).start()
    began = time.monotonic()
    turn.take()
    assert time.monotonic() - began < PATIENCE
    turn.give()


def test_one_that_stands_still_costs_a_second_once(path: Path, turn: MachineTurn, other: Other) -> None:
    process = other(5.0, 0.0)
    time.sleep(0.1)
    os.kill(process.pid, signal.SIGSTOP)
    began = time.monotonic()
    for _ in range(5):
        turn.take()
        turn.give()
    assert PATIENCE <= time.monotonic() - began < 2 * PATIENCE
    assert sum(thread.name == "machine-turn" for thread in threading.enumerate()) == 1
    process.kill()
    process.wait()
    deadline = time.monotonic() + 5
    while any(thread.name == "machine-turn" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert _write(path, turn, 5) == 0, "and it is as before"


def test_it_is_given_back_whatever_happens(turn: MachineTurn, path: Path) -> None:
    turn.give()
    turn.take()
    turn.take()
    turn.give()
    second = MachineTurn(path)
    began = time.monotonic()
    second.take()
    second.close()
    assert time.monotonic() - began < PATIENCE / 2

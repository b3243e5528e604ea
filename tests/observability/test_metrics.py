"""Numbers of several processes: added up, kept when one is killed, and never many."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.observability import census, metrics
from app.observability.counts import OTHER, CountsFile

COUNTING = """
import sys
from pathlib import Path
from app.observability import metrics
counts = metrics.count_in(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    metrics.REQUESTS.add(1, "/c/{id}", "200")
    metrics.REQUEST_SECONDS.observe(0.02, "/c/{id}")
    metrics.OPEN_STREAMS.add(1)
print("counted", flush=True)
sys.stdin.read()
counts.close()
"""

Counting = subprocess.Popen[str]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[CountsFile]:
    counts = metrics.count_in(tmp_path / "run")
    yield counts
    counts.close()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Callable[[int], Counting]]:
    started: list[Counting] = []

    def start(requests: int) -> Counting:
        command = [sys.executable, "-c", COUNTING, str(tmp_path / "run"), str(requests)]
        pipe = subprocess.PIPE
        child = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        started.append(child)
        assert child.stdout is not None and child.stdout.readline() == "counted\n"
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()


def told() -> dict[str, float]:
    """What Prometheus would read, by name and labels."""
    content, _ = metrics.exposition()
    return {
        sample.name + "".join(f" {v}" for v in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(content.decode())
        for sample in family.samples
    }


def of_requests() -> tuple[float, float, float, float]:
    now = told()
    return (
        now["teahouse_requests_total /c/{id} 200"],
        now["teahouse_request_seconds_count /c/{id}"],
        now["teahouse_open_streams"],
        now["teahouse_processes"],
    )


def test_processes_are_added_up(here: CountsFile, process: Callable[[int], Counting]) -> None:
    for number in (3, 5, 7):
        process(number)
    assert of_requests() == (15, 15, 15, 4)
    assert told()["teahouse_request_seconds_sum /c/{id}"] == pytest.approx(0.3)
    assert told()["process_resident_memory_bytes"] > 4e6


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, None], ids=["killed", "ended", "orderly"])
def test_what_the_dead_counted_stays_but_their_gauges_go(
    here: CountsFile, process: Callable[[int], Counting], number: int | None
) -> None:
    process(2)
    dies = process(5)
    if number is not None:
        os.kill(dies.pid, number)
    dies.communicate()
    assert of_requests() == (7, 7, 2, 2)
    assert of_requests() == (7, 7, 2, 2)  # now from the past
    process(1)
    assert of_requests() == (8, 8, 3, 3)
    assert len(list(here.path.parent.glob("*.counts"))) == 3


def test_a_stopped_process_is_no_dead_one(here: CountsFile, process: Callable[[int], Counting]) -> None:
    stopped = process(4)
    os.kill(stopped.pid, signal.SIGSTOP)
    assert of_requests() == (4, 4, 4, 2)
    os.kill(stopped.pid, signal.SIGCONT)


def test_one_that_was_killed_between_adding_and_removing_adds_nobody_twice(
    here: CountsFile, process: Callable[[int], Counting]
) -> None:
    dies = process(5)
    name = next(here.path.parent.glob(f"{dies.pid}-*"))
    dies.kill()
    dies.communicate()
    content = name.read_bytes()
    assert of_requests()[0] == 5
    name.write_bytes(content)  # as if the file had been left
    assert of_requests()[0] == 5
    assert not name.exists()


def test_a_server_that_starts_alone_begins_at_nothing(tmp_path: Path, process: Callable[[int], Counting]) -> None:
    first = process(5)
    first.kill()
    first.communicate()
    counts = metrics.count_in(tmp_path / "run")
    assert "teahouse_requests_total /c/{id} 200" not in told()
    assert [path.name for path in counts.path.parent.glob("*.counts")] == [counts.path.name]
    counts.close()


def test_labels_stay_few(here: CountsFile, process: Callable[[int], Counting]) -> None:
    for n in range(1000):
        metrics.TOKENS.add(1, f"ollama/{n}", "completion")
    counted = {name: value for name, value in told().items() if name.startswith("teahouse_tokens_total")}
    assert len(counted) == metrics.TOKENS.most + 1
    assert counted[f"teahouse_tokens_total {OTHER} {OTHER}"] == 1000 - metrics.TOKENS.most
    sums = census.Sums()
    for process_number in range(5):
        sums.add((("tokens", (f"{process_number}/{n}", "prompt")), [1.0]) for n in range(100))
    assert len(sums.numbers) == metrics.TOKENS.most + 1 and sum(v[0] for v in sums.numbers.values()) == 500


def test_a_file_that_is_full_goes_on_counting_what_it_has(here: CountsFile) -> None:
    metrics.REQUESTS.add(1, "/", "200")
    for n in range(3000):
        metrics.REQUEST_SECONDS.at(("x" * 100 + str(n),))
        metrics.REQUEST_SECONDS._series.clear()
    metrics.REQUEST_SECONDS.observe(1, "too late")
    metrics.REQUESTS.add(1, "/", "200")
    assert told()["teahouse_requests_total / 200"] == 2

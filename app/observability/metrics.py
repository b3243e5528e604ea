"""What is counted, and how Prometheus is told of it when it asks any one of the processes."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from app.observability import census
from app.observability.counts import Counter, CounterOfTotal, CountsFile, Gauge, Histogram, Instrument

_REQUEST_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_FIRST_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_TOKEN_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_COMMIT_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

# Labels have few values: a declared route, never the address that was asked for; no user, no job, no conversation.
REQUESTS = Counter("requests", "Requests answered", ["route", "status"], most=2000)
REQUEST_SECONDS = Histogram("request_seconds", "Time to the end of the answer", _REQUEST_BOUNDS, ["route"], most=500)
OPEN_STREAMS = Gauge("open_streams", "Event streams and long polls that are open")
JOBS_ENDED = Counter("jobs_ended", "Jobs that have ended", ["kind", "status"])
JOBS_RESCUED = Counter("jobs_rescued", "Jobs taken back from a process that had died or stood still")
FIRST_TOKEN_SECONDS = Histogram(
    "first_token_seconds", "From asking the model server to the first text", _FIRST_BOUNDS, ["provider"]
)
TOKEN_SECONDS = Histogram("token_seconds", "From one piece of text to the next", _TOKEN_BOUNDS, ["provider"])
TOKENS = Counter("tokens", "Tokens, as the model server counts them, else pieces of text", ["model", "type"])
PROVIDER_ERRORS = Counter("provider_errors", "Failed calls of model servers", ["provider", "code"])
LOG_COMMITS = Histogram("event_log_commit_seconds", "Group commits of the event log", _COMMIT_BOUNDS)
LOG_COMMIT_FAILURES = Counter("event_log_commit_failures", "Commits that the database did not take")
LOOP_HELD_UP = Counter("event_loop_held_up", "Times that the event loop stood still for more than half a second")
_CPU = CounterOfTotal("cpu_seconds", "Processor time of all processes")


def count_in(folder: Path) -> CountsFile:
    """Let this process's numbers be found by the others; `close` what is returned at the end."""
    counts = census.enter(folder / census.FOLDER)
    tell_times()
    return counts


def tell_times() -> None:
    """How much of the processor this process has taken; called about every two seconds."""
    times = os.times()
    _CPU.set(times.user + times.system)


Family = tuple[str, str, Sequence[str], list[tuple[Sequence[str], float]]]
"""A gauge that is looked up for the one who asks: name, text, labels, and values by labels."""


def exposition(families: Sequence[Family] = ()) -> tuple[bytes, str]:
    """All processes' numbers in Prometheus' text format, and its media type. Reads files: not for the event loop."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

    tell_times()
    if Instrument.numbers.folder is not None:
        sums = census.everybodys(Instrument.numbers.folder)
    else:  # not opened: this process alone
        sums = census.Sums()
        sums.add(Instrument.numbers.parsed().items())
        sums.pids.append(os.getpid())
    registry = CollectorRegistry()
    registry.register(_Collector(sums, families))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Collector:
    def __init__(self, sums: census.Sums, families: Sequence[Family]) -> None:
        self._sums, self._families = sums, families

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        of_kind = {Gauge: GaugeMetricFamily, Histogram: HistogramMetricFamily}
        for instrument in Instrument.declared:
            made = of_kind.get(type(instrument), CounterMetricFamily)
            family = made(f"teahouse_{instrument.name}", instrument.text, labels=instrument.labels)
            for (name, labels), values in self._sums.numbers.items():
                if name == instrument.name and isinstance(instrument, Histogram):
                    bounds = [*map(str, instrument.bounds), "+Inf"]
                    counted = accumulate(values[1:])
                    family.add_metric(labels, list(zip(bounds, counted, strict=True)), values[0])
                elif name == instrument.name:
                    family.add_metric(labels, values[0])
            if not instrument.labels and not family.samples:
                family.add_metric((), [("+Inf", 0)], 0) if isinstance(instrument, Histogram) else family.add_metric(
                    (), 0
                )
            yield family
        for told, text, names, samples in self._families:
            gauge = GaugeMetricFamily(f"teahouse_{told}", text, labels=names)
            for of, value in samples:
                gauge.add_metric(of, value)
            yield gauge
        yield GaugeMetricFamily("teahouse_processes", "Processes that serve", value=len(self._sums.pids))
        yield from _of_processes(self._sums.pids)


def _of_processes(pids: Sequence[int]) -> Iterator[Any]:
    """What the kernel says of those that live; nothing where there is no /proc."""
    from prometheus_client.core import GaugeMetricFamily

    resident = descriptors = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            resident += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            descriptors += len(os.listdir(f"/proc/{pid}/fd"))
    if resident:
        text = "Resident memory of all processes; what they share is counted in each"
        yield GaugeMetricFamily("process_resident_memory_bytes", text, value=resident)
        yield GaugeMetricFamily("process_open_fds", "Open files of all processes", value=descriptors)

"""Counts kept as plain numbers, told to Prometheus when it asks."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class _Route:
    """Requests of one route."""

    __slots__ = ("buckets", "seconds", "statuses")

    def __init__(self) -> None:
        self.statuses: dict[int, int] = defaultdict(int)
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0


_routes: dict[str, _Route] = defaultdict(_Route)
_gauges: dict[str, tuple[str, Callable[[], float]]] = {}


def observe_request(route: str, status: int, seconds: float) -> None:
    """`route` is a declared address, never the one that was asked for: labels must stay few."""
    counts = _routes[route]
    counts.statuses[status] += 1
    counts.buckets[bisect_left(BUCKETS, seconds)] += 1
    counts.seconds += seconds


def register_gauge(name: str, text: str, read: Callable[[], float]) -> None:
    """A number that is asked for at each scrape, `teahouse_<name>`; the last one registered under a name counts."""
    _gauges[name] = (text, read)


def exposition() -> tuple[bytes, str]:
    """This process's numbers in Prometheus' text format, and its media type."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest

    registry = CollectorRegistry()
    registry.register(_Collector())
    ProcessCollector(registry=registry)
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Collector:
    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        requests = CounterMetricFamily("teahouse_requests", "Requests answered", labels=["route", "status"])
        seconds = HistogramMetricFamily("teahouse_request_seconds", "Time to the end of the answer", labels=["route"])
        for route, counts in list(_routes.items()):
            for status, number in list(counts.statuses.items()):
                requests.add_metric([route, str(status)], number)
            seconds.add_metric([route], list(_cumulated(counts.buckets)), counts.seconds)
        yield requests
        yield seconds
        for name, (text, read) in list(_gauges.items()):
            yield GaugeMetricFamily(f"teahouse_{name}", text, value=read())


def _cumulated(buckets: list[int]) -> Iterator[tuple[str, float]]:
    total = 0
    for bound, number in zip([*map(str, BUCKETS), "+Inf"], buckets, strict=True):
        total += number
        yield bound, total

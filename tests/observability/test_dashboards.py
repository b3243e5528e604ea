"""The dashboard and the alerts speak of numbers that there are."""

import json
import re
from collections.abc import Iterator

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from app.jobs.backlog import Line, families
from app.observability import metrics
from app.observability.counts import Counter, Gauge, Histogram, Instrument
from tests.architecture.source import ROOT

DASHBOARD, RULES = ROOT / "deploy/grafana/teahouse.json", ROOT / "deploy/prometheus/teahouse.rules.yml"
OF_PROMETHEUS = {"up": {"job"}}
NOT_NAMES = {
    *("sum", "rate", "increase", "by", "le", "histogram_quantile", "topk", "and", "or", "on", "for", "unless"),
    "__rate_interval",
}


def expressions() -> Iterator[tuple[str, str]]:
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            yield f"dashboard: {panel['title']} {target['refId']}", target["expr"]
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            yield f"alert: {rule['alert']}", rule["expr"]


def told() -> dict[str, set[str]]:
    """Every name that /metrics has once everything has happened, with its labels."""
    for instrument in Instrument.declared:
        labels = ["x"] * len(instrument.labels)
        if isinstance(instrument, Histogram):
            instrument.observe(0.1, *labels)
        elif isinstance(instrument, Counter):
            instrument.add(1, *labels)
        elif isinstance(instrument, Gauge):
            instrument.add(0)
    content, _ = metrics.exposition(families([Line("queued", "answer", 1, 2.0)]))
    return {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(content.decode())
        for sample in family.samples
    } | OF_PROMETHEUS


@pytest.mark.parametrize(("where", "expression"), list(expressions()), ids=lambda each: each if ":" in each else "")
def test_every_name_and_label_is_there(where: str, expression: str) -> None:
    known = told()
    plain = re.sub(r'"[^"]*"', '""', expression)
    selectors = re.findall(r"(\w+)\{([^}]*)\}", plain)
    grouped = {name.strip() for group in re.findall(r"\bby \(([^)]*)\)", plain) for name in group.split(",")}
    names = set(re.findall(r"[a-z_]{2,}", re.sub(r"\{[^}]*\}|\[[^]]*\]|\bby \([^)]*\)", "", plain))) - NOT_NAMES
    assert names and names <= known.keys()
    assert grouped <= set().union(*(known[name] for name in names))
    for name, labels in selectors:
        assert set(re.findall(r"(\w+)\s*[!=~]", labels)) <= known[name]


def test_every_number_of_the_server_is_on_the_dashboard() -> None:
    shown = " ".join(expression for _, expression in expressions())
    assert [instrument.name for instrument in Instrument.declared if f"teahouse_{instrument.name}" not in shown] == []

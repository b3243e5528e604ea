"""`make campaign`: what is too long for each change, about an hour on a quiet machine. Before a release.

Kills, a hundred of each kind on each database; every screen in both languages by every rule; fuzzing with ten times
the examples; a day of a site. Its table is kept in tests/CAMPAIGN.md. `python -m tests.campaign tests` leaves out the
day, `python -m tests.campaign day` the rest.

`make attack` is the part of it that strangers, members, model servers and thieves would try, on SQLite, in ten minutes
or so; its table is in tests/ATTACK.md. `python -m tests.campaign hour [MINUTES]` attacks one server for an hour, and
draws its memory and its latency (tests/ATTACK_HOUR.md).
"""

import asyncio
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from app import __version__
from tests.long_attack import attack, drawing, summary

ROOT = Path(__file__).parents[1]
TEST_SECONDS = 1800
ATTACKS = (
    "api/test_limits.py",
    "api/test_ownership.py",
    "api/test_schema.py",
    "api/test_secrets.py",
    "api/test_text.py",
    "api/v1/test_thief.py",
    "browser/test_hostile_text.py",
    "http",
    "providers/test_budgets.py",
    "providers/test_faults.py",
    "providers/test_lines.py",
    "rendering/test_growth.py",
    "rendering/test_hostile_sizes.py",
    "rendering/test_safety.py",
    "security",
    "stack/test_attacks.py",
    "web/test_csrf.py",
    "web/test_form_limits.py",
    "web/test_ownership.py",
    "web/test_throttling.py",
)


@dataclass
class Part:
    """What one file, or the day, came to."""

    name: str
    tests: int = 0
    failed: int = 0
    seconds: float = 0.0


def main(wanted: list[str]) -> None:
    began = time.monotonic()
    if wanted[:1] == ["hour"]:
        run_hour(float(wanted[1]) if len(wanted) > 1 else 60.0)
        return
    parts = list[Part]()
    if "attack" in wanted:
        parts += run_tests(*(f"tests/{name}" for name in ATTACKS), "-k", "not postgresql")
    if "tests" in wanted or not wanted:
        parts += run_tests("-m", "campaign or hypothesis")
    if "day" in wanted or not wanted:
        parts.append(run_day())
    kind = "attack" if "attack" in wanted else "campaign"
    kept = ROOT / "tests" / f"{kind.upper()}.md"
    kept.write_text(table(kind, parts, time.monotonic() - began))
    print(f"{kept.relative_to(ROOT)} has the table.")
    sys.exit(any(part.failed for part in parts))


def run_tests(*which: str) -> list[Part]:
    with tempfile.TemporaryDirectory(prefix="teahouse-campaign-") as folder:
        report = Path(folder) / "report.xml"
        options = ["--numprocesses", "3", "--timeout", str(TEST_SECONDS), f"--junitxml={report}"]
        command = [sys.executable, "-m", "pytest", "--quiet", *which, *options]
        subprocess.run(command, cwd=ROOT, env={**os.environ, "CAMPAIGN": "1"})
        return parts_of(report)


def parts_of(report: Path) -> list[Part]:
    parts = dict[str, Part]()
    for case in ElementTree.parse(report).iter("testcase"):
        file = case.get("classname", "").removeprefix("tests.").replace(".", "/")
        on_postgres = " on PostgreSQL" if "postgresql" in case.get("name", "") else ""
        part = parts.setdefault(file + on_postgres, Part(file + on_postgres))
        part.tests += 1
        part.failed += case.find("failure") is not None or case.find("error") is not None
        part.seconds += float(case.get("time", 0))
    return sorted(parts.values(), key=lambda part: part.seconds, reverse=True)


def run_hour(minutes: float) -> None:
    """Raises SystemExit when a witness's answer was wrong, or anything else."""
    made = asyncio.run(attack(minutes * 60))
    (ROOT / "tests" / "ATTACK_HOUR.svg").write_text(drawing(made))
    told = ["# The last hour of attacks", "", *summary(made), "", "![Memory and latency](ATTACK_HOUR.svg)", ""]
    (ROOT / "tests" / "ATTACK_HOUR.md").write_text("\n".join(told))
    print("tests/ATTACK_HOUR.md has the table.")
    sys.exit(bool(made.wrong))


def run_day() -> Part:
    began = time.monotonic()
    code = subprocess.run([sys.executable, "-m", "tests.benchmarks.day"], cwd=ROOT).returncode
    return Part("a day of a site (`make day`)", 1, int(code != 0), time.monotonic() - began)


def table(kind: str, parts: list[Part], seconds: float) -> str:
    failed = sum(part.failed for part in parts)
    rows = [f"| {part.name} | {part.tests} | {part.failed or ''} | {part.seconds:.0f} |" for part in parts]
    return "\n".join(
        [
            f"# The last {kind}",
            "",
            f"Made by `make {kind}` on {datetime.now(UTC):%Y-%m-%d}, Teahouse {__version__}, "
            f"{os.cpu_count()} cores, Python {platform.python_version()}: "
            f"{sum(part.tests for part in parts)} tests, {failed} failed, {seconds / 60:.0f} minutes.",
            "",
            "| what | tests | failed | seconds |",
            "| --- | ---: | ---: | ---: |",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    main(sys.argv[1:])

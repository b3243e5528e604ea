"""`make campaign`: what is too long for each change, about an hour on a quiet machine. Before a release.

Kills, a hundred of each kind on each database; every screen in both languages by every rule; fuzzing with ten times
the examples; a day of a site. Its table is kept in tests/CAMPAIGN.md. `python -m tests.campaign tests` leaves out the
day, `python -m tests.campaign day` the rest.
"""

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

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "tests" / "CAMPAIGN.md"
TEST_SECONDS = 1800


@dataclass
class Part:
    """What one file, or the day, came to."""

    name: str
    tests: int = 0
    failed: int = 0
    seconds: float = 0.0


def main(wanted: list[str]) -> None:
    began = time.monotonic()
    parts = list[Part]()
    if "tests" in wanted or not wanted:
        parts += run_tests()
    if "day" in wanted or not wanted:
        parts.append(run_day())
    TABLE.write_text(table(parts, time.monotonic() - began))
    print(f"{TABLE.relative_to(ROOT)} has the table.")
    sys.exit(any(part.failed for part in parts))


def run_tests() -> list[Part]:
    with tempfile.TemporaryDirectory(prefix="teahouse-campaign-") as folder:
        report = Path(folder) / "report.xml"
        options = ["--numprocesses", "3", "--timeout", str(TEST_SECONDS), f"--junitxml={report}"]
        command = [sys.executable, "-m", "pytest", "--quiet", "-m", "campaign or hypothesis", *options]
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


def run_day() -> Part:
    began = time.monotonic()
    code = subprocess.run([sys.executable, "-m", "tests.benchmarks.day"], cwd=ROOT).returncode
    return Part("a day of a site (`make day`)", 1, int(code != 0), time.monotonic() - began)


def table(parts: list[Part], seconds: float) -> str:
    failed = sum(part.failed for part in parts)
    rows = [f"| {part.name} | {part.tests} | {part.failed or ''} | {part.seconds:.0f} |" for part in parts]
    return "\n".join(
        [
            "# The last campaign",
            "",
            f"Made by `make campaign` on {datetime.now(UTC):%Y-%m-%d}, Teahouse {__version__}, "
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

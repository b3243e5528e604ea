"""The units, as they are filled in, before systemd's own eyes."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.running import environment, teahouse

EXPOSURE = 2.0  # 0 is best; what is left is named in deploy/README.md


@pytest.fixture
def units(tmp_path: Path) -> Path:
    assert shutil.which("systemd-analyze"), "run `make setup` first"
    output = tmp_path / "units"
    arguments = ("deploy", "systemd", "--user", "www-data", "--output", str(output))
    ran = teahouse(*arguments, env=environment(tmp_path / "data"), cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    return output


def test_systemd_finds_nothing_wrong(units: Path) -> None:
    names = [
        f"./teahouse{name}" for name in (".service", ".socket", "-backup.service", "-backup.timer", "-worker@.service")
    ]
    ran = subprocess.run(["systemd-analyze", "verify", *names], cwd=units, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_service_is_exposed_as_little_as_the_manual_says(units: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=yes", "./teahouse.service"]
    ran = subprocess.run(command, cwd=units, capture_output=True, text=True)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", ran.stdout)
    assert found and float(found[1]) <= EXPOSURE, ran.stdout


def test_each_hardening_line_has_its_reason(units: Path) -> None:
    """A comment above it, or above the lines that it stands with."""
    text = (units / "teahouse.service").read_text().split("# --- What it may touch ---", 1)[1]
    for block in re.split(r"\n(?=#)", text.split("[Install]")[0].strip()):
        assert block.startswith("#"), block
        assert block.count("\n") <= 8, block

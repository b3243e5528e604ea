"""The locks hold what pyproject.toml asks for; `make lock` makes them so."""

import re
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.source import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
CORE: list[str] = PROJECT["project"]["dependencies"]
EMBEDDED: list[str] = PROJECT["project"]["optional-dependencies"]["embedded"]
SCALE: list[str] = PROJECT["project"]["optional-dependencies"]["scale"]
TELEMETRY: list[str] = PROJECT["project"]["optional-dependencies"]["telemetry"]
DEV: list[str] = PROJECT["dependency-groups"]["dev"]
NODE: list[str] = PROJECT["dependency-groups"]["node"]
LOCKS = {
    "requirements.lock": CORE,
    "requirements-embedded.lock": [*CORE, *EMBEDDED],
    "requirements-scale.lock": [*CORE, *EMBEDDED, *SCALE],
    "requirements-telemetry.lock": [*CORE, *EMBEDDED, *SCALE, *TELEMETRY],
    "requirements-dev.lock": [*CORE, *EMBEDDED, *SCALE, *TELEMETRY, *DEV],
    "requirements-node.lock": NODE,
}


def locked(name: str) -> dict[str, list[str]]:
    """Package to the versions that are locked (one per platform, if they differ)."""
    versions: dict[str, list[str]] = {}
    for package, version in re.findall(r"(?m)^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;]+)", (ROOT / name).read_text()):
        versions.setdefault(canonicalize_name(package), []).append(version)
    return versions


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_what_is_asked_for(name: str) -> None:
    versions = locked(name)
    for wanted in map(Requirement, LOCKS[name]):
        found = versions.get(canonicalize_name(wanted.name), [])
        assert any(wanted.specifier.contains(version) for version in found), f"{wanted}: locked {found or 'nowhere'}"


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_its_hashes(name: str) -> None:
    text = (ROOT / name).read_text()
    pins = re.split(r"(?m)^(?=[\w.-]+(?:\[[\w,-]+\])?==)", text)[1:]
    assert len(pins) >= len(LOCKS[name]), "a test that passes for nothing"
    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []


def test_no_lock_names_a_host() -> None:
    assert [name for name in LOCKS if "://" in (ROOT / name).read_text()] == []

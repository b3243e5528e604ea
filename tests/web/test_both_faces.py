"""The table of both faces (docs/faces.md) against what there is."""

import re
from pathlib import Path

import pytest

from tests.web.routes import page_routes

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "frontend-islands" / "src"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "faces.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith(("| what |", "| --- |", "| **"))
]


def test_every_route_of_the_pages_is_in_the_table() -> None:
    told = set(re.findall(r"`((?:GET|POST) [^`]+)`", " ".join(pages for _, pages, _ in ROWS)))
    assert told == {str(route) for route in page_routes()}


def test_every_route_of_the_application_is_in_the_table() -> None:
    told = set(re.findall(r"`(/[^`]*)`", " ".join(application for *_, application in ROWS)))
    written = (SOURCE / "spa" / "router.ts").read_text()
    last = {path.rpartition("/")[2] for path in re.findall(r'path: "([^"]*)"', written)}
    assert {path.rpartition("/")[2] for path in told} == last


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_names_what_is_there_or_why_it_is_not(row: list[str]) -> None:
    what, pages, application = row
    assert what and ("`" in pages or len(pages) > 3)
    files = re.findall(r"\w+\.(?:vue|ts)", application)
    assert files or len(application) > 3
    for name in files:
        assert list(SOURCE.rglob(name)), name

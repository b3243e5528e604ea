"""COVERAGE.md says which test proves which promise, fault and attack. Run this file as a module to write it anew."""

import ast
import re
from collections import defaultdict
from pathlib import Path

from tests.coverage_rows import ALSO, ATTACKS, FAULTS, PROMISES, WAITS

TESTS = Path(__file__).parent
FILE = TESTS / "COVERAGE.md"
CODE = re.compile(r"(?<![A-Za-z0-9])([AFI]\d{1,2})(?![A-Za-z0-9])")
HEAD = """# Which test proves what

Made by `python -m tests.test_coverage` from the names of the tests and `tests/coverage_rows.py`; a test fails when
it is out of date. The rows are those of reliability.md: I promises, F faults, A attacks.
"""


def named_tests() -> dict[str, list[str]]:
    """Code to `file::test`, by the names of the tests."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted(TESTS.rglob("test_*.py")):
        tree = ast.parse(file.read_text())
        names = [n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
        for name in names:
            if name.startswith("test_"):
                for code in CODE.findall(name.replace("_", " ")):
                    found[code].append(f"{file.relative_to(TESTS)}::{name}")
    return found


def table() -> str:
    named = named_tests()
    parts = [HEAD]
    for title, rows in (("Promises", PROMISES), ("Faults", FAULTS), ("Attacks", ATTACKS)):
        parts.append(f"\n## {title}\n\n| | what | proved by | what waits, and why |\n| --- | --- | --- | --- |\n")
        for code, caption in rows.items():
            proofs = dict.fromkeys([*named.get(code, []), *ALSO.get(code, [])])
            shown = "<br>".join(f"`{proof}`" for proof in proofs) or "–"
            parts.append(f"| {code} | {caption} | {shown} | {WAITS.get(code, '')} |\n")
    return "".join(parts)


def test_every_row_has_a_proof_or_a_reason() -> None:
    named = named_tests()
    rows = PROMISES | FAULTS | ATTACKS
    assert [code for code in rows if code not in named and code not in ALSO and code not in WAITS] == []


def test_no_test_names_a_row_that_is_not_there() -> None:
    assert set(named_tests()) <= set(PROMISES | FAULTS | ATTACKS)


def test_what_is_pointed_at_is_there() -> None:
    for proofs in ALSO.values():
        for proof in proofs:
            file, _, name = proof.partition("::")
            assert f"def {name}(" in (TESTS / file).read_text(), proof


def test_the_table_is_up_to_date() -> None:
    assert FILE.read_text() == table(), "run `python -m tests.test_coverage`"


if __name__ == "__main__":
    FILE.write_text(table())

"""COVERAGE.md says which test proves which promise, fault and attack. Run this file as a module to write it anew."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.coverage_rows import ALSO, ATTACKS, FAULTS, PROMISES, WAITS
from tests.wire_habits import HABITS

TESTS = Path(__file__).parent
Function = ast.FunctionDef | ast.AsyncFunctionDef
FILE = TESTS / "COVERAGE.md"
CODE = re.compile(r"(?<![A-Za-z0-9])([AFI]\d{1,2})(?![A-Za-z0-9])")
HEAD = """# Which test proves what

Made by `python -m tests.test_coverage` from the names of the tests and `tests/coverage_rows.py`; a test fails when
it is out of date. The rows are those of reliability.md: I promises, F faults, A attacks. All of it is in `make test`;
what tries more in `make campaign` has a + behind it.
"""


def named_tests() -> dict[str, list[str]]:
    """Code to `file::test`, by the names of the tests."""
    found: dict[str, list[str]] = defaultdict(list)
    for file, _, function in functions():
        for code in CODE.findall(function.name.replace("_", " ")):
            found[code].append(f"{file}::{function.name}")
    return found


def functions() -> Iterator[tuple[Path, ast.Module, Function]]:
    for file in sorted(TESTS.rglob("test_*.py")):
        tree = ast.parse(file.read_text())
        for node in ast.walk(tree):
            if isinstance(node, Function) and node.name.startswith("test_"):
                yield file.relative_to(TESTS), tree, node


def of_the_campaign() -> set[str]:
    """Those that are marked so, by themselves or with all of their file."""
    found = set()
    for file, tree, function in functions():
        marks = [node.value for node in tree.body if isinstance(node, ast.Assign) and _is_mark(node)]
        if any("mark.campaign" in ast.unparse(each) for each in (*marks, *function.decorator_list)):
            found.add(f"{file}::{function.name}")
    return found


def _is_mark(node: ast.Assign) -> bool:
    return [ast.unparse(target) for target in node.targets] == ["pytestmark"]


def table() -> str:
    named, more = named_tests(), of_the_campaign()
    parts = [HEAD]
    for title, rows in (("Promises", PROMISES), ("Faults", FAULTS), ("Attacks", ATTACKS)):
        parts.append(f"\n## {title}\n\n| | what | proved by | what waits, and why |\n| --- | --- | --- | --- |\n")
        for code, caption in rows.items():
            proofs = dict.fromkeys([*named.get(code, []), *ALSO.get(code, [])])
            shown = "<br>".join(f"`{proof}`{' +' if proof in more else ''}" for proof in proofs) or "–"
            parts.append(f"| {code} | {caption} | {shown} | {WAITS.get(code, '')} |\n")
    parts.append("\n## What model servers do\n\n| server | what it does | proved by |\n| --- | --- | --- |\n")
    parts += [f"| {server} | {habit} | `{proof}` |\n" for server, habit, proof in HABITS]
    return "".join(parts)


def test_every_row_has_a_proof_or_a_reason() -> None:
    named = named_tests()
    rows = PROMISES | FAULTS | ATTACKS
    assert [code for code in rows if code not in named and code not in ALSO and code not in WAITS] == []


def test_no_test_names_a_row_that_is_not_there() -> None:
    assert set(named_tests()) <= set(PROMISES | FAULTS | ATTACKS)


def test_what_is_pointed_at_is_there() -> None:
    for proofs in (*ALSO.values(), [proof for _, _, proof in HABITS]):
        for proof in proofs:
            file, _, name = proof.partition("::")
            assert f"def {name}(" in (TESTS / file).read_text(), proof


def test_the_table_is_up_to_date() -> None:
    assert FILE.read_text() == table(), "run `python -m tests.test_coverage`"


if __name__ == "__main__":
    FILE.write_text(table())

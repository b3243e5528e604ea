"""Who may call what, and names that say nothing."""

import ast
import subprocess
from collections.abc import Iterable

import pytest

from tests.architecture.source import APP, DOMAINS, ROOT, calls, modules

JUNK_DRAWERS = {"utils", "helpers", "common", "misc", "constants", "util", "helper"}


def places(names: set[str], trees: Iterable[tuple[str, ast.Module]]) -> list[str]:
    return [f"{path}:{line}: {name}()" for path, tree in trees for name, line in calls(tree) if name in names]


def test_the_finder_finds() -> None:
    tree = ast.parse("select(User)\nsession.commit()\nselection(1)\nprint('x')")
    assert places({"select", ".commit", "print"}, [("here", tree)]) == [
        "here:1: select()",
        "here:2: .commit()",
        "here:4: print()",
    ]


@pytest.mark.parametrize("folder", ["web", "api", *DOMAINS])
def test_a_folder_that_is_guarded_is_there(folder: str) -> None:
    assert list(modules(folder))


def test_the_faces_leave_the_database_to_the_domain() -> None:
    assert places({"select", ".commit"}, modules("web", "api")) == []


def test_who_opened_a_transaction_ends_it() -> None:
    assert places({".commit"}, modules(*DOMAINS)) == []


def test_only_the_command_writes_to_the_terminal() -> None:
    elsewhere = [(path, tree) for path, tree in modules() if not path.startswith("app/cli/")]
    # The embedded model's child prints one line: to its parent, through a pipe.
    assert places({"print"}, [(p, tree) for p, tree in elsewhere if p != "app/providers/embedded/child.py"]) == []
    terminal = ("typer", "rich", "click")
    imports = [path for path, tree in elsewhere for name in imported(tree) if name.split(".")[0] in terminal]
    assert imports == []


def imported(tree: ast.Module) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        path
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv") and isinstance(node.ctx, ast.Load)
    }
    # serve hands its options to the reloading process; the model's child inherits what it needs; systemd and Gunicorn
    # speak by variables of their own.
    assert readers <= {
        "app/cli/serve.py",
        "app/cli/systemd.py",
        "app/cli/gunicorn_worker.py",
        "app/providers/embedded/loading.py",
        "app/providers/embedded/child.py",
    }


def test_no_file_is_a_junk_drawer() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert len(listed) > 100
    stems = [(path, path.rsplit("/", 1)[-1].split(".")[0].strip("_")) for path in listed]
    assert [path for path, stem in stems if stem in JUNK_DRAWERS] == []


def test_every_module_says_in_its_first_line_what_it_is() -> None:
    silent = [path for path, tree in modules() if tree.body and ast.get_docstring(tree) is None]
    # An Alembic revision's and a package's name say enough; what they hold must not.
    assert [path for path in silent if (APP.parent / path).stat().st_size] == []

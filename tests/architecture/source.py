"""The program's own source, parsed."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"
DOMAINS = ("accounts", "conversations", "generations", "jobs", "providers", "rendering")


def modules(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Name and syntax tree of every module below these folders of app; of all of app without any."""
    for folder in folders or (".",):
        for path in sorted((APP / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def calls(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """What is called, and on which line: `f` for f(), `.f` for anything.f()."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id, node.lineno
            elif isinstance(node.func, ast.Attribute):
                yield f".{node.func.attr}", node.lineno

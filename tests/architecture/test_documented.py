"""What is not documented fails."""

import re

import pytest
import typer
from typer.main import get_command

from app import __version__
from app.cli.main import app
from app.settings import Settings
from tests.architecture.source import ROOT

FIELDS = sorted(Settings.model_fields)


def text_of(name: str) -> str:
    return (ROOT / name).read_text()


def commands() -> list[str]:
    """Every command as it is typed: `teahouse admin create-user`."""
    found, waiting = [], [("teahouse", get_command(app))]
    while waiting:
        name, command = waiting.pop()
        below = getattr(command, "commands", None)
        if below is None:
            found.append(name)
        else:
            waiting.extend((f"{name} {sub}", inner) for sub, inner in below.items())
    return sorted(found)


@pytest.mark.parametrize("field", FIELDS)
def test_every_setting_is_in_the_example_and_in_the_operators_table(field: str) -> None:
    name, description = f"TEAHOUSE_{field.upper()}", Settings.model_fields[field].description
    assert description, f"{name} has no description"
    assert f"# {description}\n#{name}=" in text_of(".env.example")
    row = next(line for line in text_of("deploy/README.md").splitlines() if line.startswith(f"| `{name}` |"))
    escaped = description.replace("<", r"\<")  # in Markdown it would begin a tag
    assert row.endswith(f"| {escaped} |")


def test_nothing_is_documented_that_is_not_there() -> None:
    known = {f"TEAHOUSE_{field.upper()}" for field in FIELDS}
    # What `teahouse ask` reads is its user's, not the server's.
    known |= {"TEAHOUSE_URL", "TEAHOUSE_USERNAME", "TEAHOUSE_PASSWORD", "TEAHOUSE_API_KEY"}
    for name in (".env.example", "deploy/README.md", "README.md", "README.zh-CN.md"):
        assert set(re.findall(r"TEAHOUSE_[A-Z_]+[A-Z]", text_of(name))) <= known, name


def test_there_are_commands_to_document() -> None:
    assert {"teahouse serve", "teahouse admin create-user", "teahouse db check"} <= set(commands())


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_every_command_is_in_the_readme(readme: str) -> None:
    text = text_of(readme)
    assert [command for command in commands() if f"`{command}" not in text] == []


@pytest.mark.parametrize("command", commands())
def test_every_command_shows_an_example_in_its_help(command: str) -> None:
    found = get_command(app)
    for part in command.split()[1:]:
        found = found.commands[part]  # type: ignore[attr-defined]
    shown = found.get_help(typer.Context(found, info_name=command))
    assert re.search(rf"(?m)^ {{4,}}.*\b{command}", shown), shown


def test_the_changelog_begins_with_this_version() -> None:
    first = next(line for line in text_of("CHANGELOG.md").splitlines() if line.startswith("## "))
    assert first.split()[1] == __version__


@pytest.mark.parametrize("target", ["setup", "run", "check", "test", "e2e", "bench", "build"])
def test_the_makefile_says_what_each_target_does(target: str) -> None:
    assert re.search(rf"(?m)^{target}:.*## \w", text_of("Makefile"))

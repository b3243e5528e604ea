"""Types what a manual says, command by command, with a site's own names in the place of the manual's.

Where a command is about this machine itself something stands in for it: systemctl is the one of these tests, packages
are here already, and the installation belongs to one user.
"""

import os
import shlex
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.cli.running import teahouse

ROOT = Path(__file__).parents[2]

Doing = Callable[[list[str]], str]


class Operator:
    """In `folder`, the installation. `names`: what the manual calls something, and what it is called here."""

    def __init__(self, folder: Path, names: Mapping[str, str]) -> None:
        self.folder = folder
        self.names = {"/srv/teahouse": str(folder), **names}
        self.doing: dict[str, Doing] = {"cd": self._is_here, "make": self._make}
        self.typed: list[str] = []

    def type(self, line: str, stdin: str = "") -> str:
        """What the commands of the line say, each of which must succeed."""
        for name, own in self.names.items():
            line = line.replace(name, own)
        self.typed.append(line)
        if "<<" in line:
            return self._run(line, stdin)
        return "".join(self._type(command.strip(), stdin) for command in line.replace("\\\n", " ").split(" && "))

    def _type(self, command: str, stdin: str) -> str:
        command = command.removeprefix("runuser -u teahouse -- ")
        words = shlex.split(command, comments=True)
        if not words:
            return ""
        if doing := self.doing.get(words[0]):
            return doing(words)
        if words[:1] == [".venv/bin/teahouse"] and words[1] != "deploy":  # which looks for files beside its code
            return self._teahouse(words[1:], stdin)
        return self._run(command, stdin)

    def _teahouse(self, words: list[str], stdin: str) -> str:
        """In a process that has the same code loaded already."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("TEAHOUSE_")}
        ran = teahouse(*words, env=own, cwd=self.folder, stdin=stdin, seconds=60)
        assert ran.returncode == 0, ran
        return ran.stdout

    def _run(self, command: str, stdin: str) -> str:
        own = {name: value for name, value in os.environ.items() if not name.startswith("TEAHOUSE_")}
        return output_of(["bash", "-euo", "pipefail", "-c", command], self.folder, {**own, "PYTHONPATH": "."}, stdin)

    def _is_here(self, words: list[str]) -> str:
        assert words[1:] == [str(self.folder)]
        return ""

    def _make(self, words: list[str]) -> str:
        """What would be installed, since all of it is; the files of the lock and of the target are looked at."""
        would = output_of(["make", "--dry-run", "--always-make", *words[1:]], ROOT, dict(os.environ))
        lock = {"run": "embedded", "scale": "scale", "telemetry": "telemetry"}[Path(words[1]).stem]
        assert f"--require-hashes requirements-{lock}.lock" in would
        return would


def output_of(
    command: list[str], cwd: Path, environment: dict[str, str], typed: str = "", user: int | None = None
) -> str:
    ran = subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        input=typed,
        user=user,
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,  # no terminal
    )
    assert ran.returncode == 0, (command, ran.stdout, ran.stderr)
    return ran.stdout

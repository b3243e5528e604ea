"""The Dockerfile's steps, one by one, in plain folders: no engine for containers is needed to see them work."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.durability.processes import wait_for
from tests.effort import IS_CAMPAIGN
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "deploy" / "docker"
HOME = "/srv/teahouse"
# What changes the system around it: a base image's business.
OF_THE_SYSTEM = re.compile(r"apt-get|useradd|pip install --no-cache-dir uv")


@dataclass
class Stage:
    """A folder that stands for a stage's root, and where it is in it."""

    root: Path
    folder: str = "/"
    environment: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    user: str = ""

    def place(self, path: str) -> Path:
        absolute = path if path.startswith("/") else f"{self.folder}/{path}"
        return Path(os.path.normpath(f"{self.root}/{absolute}"))


def instructions(text: str) -> list[tuple[str, str]]:
    joined = re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*\n", "", text))
    return [(line.split(None, 1)[0], line.split(None, 1)[1].strip()) for line in joined.splitlines() if line.strip()]


def replay(text: str, folder: Path) -> Stage:
    """The last stage, built."""
    stages: dict[str, Stage] = {}
    stage = Stage(folder)
    for word, rest in instructions(text):
        if word == "FROM":
            name = rest.split(" AS ")[1] if " AS " in rest else "last"
            stage = stages[name] = Stage(folder / name)
        elif word == "WORKDIR":
            stage.folder = rest
            stage.place("").mkdir(parents=True, exist_ok=True)
        elif word == "COPY":
            copy(stage, stages, rest.split())
        elif word == "RUN" and rest.startswith("npm ci ") and not IS_CAMPAIGN:
            stage.place("node_modules").symlink_to(ROOT / "frontend-islands" / "node_modules")  # the same lock's
        elif (word, rest) == ("RUN", "npm run build") and not IS_CAMPAIGN:
            assert (
                stage.place("dist") / "index.html"
            ).is_file()  # `make test` has just built it, and COPY took it along
        elif word == "RUN" and not OF_THE_SYSTEM.search(rest):
            environment = {**os.environ, "PATH": f"{ROOT}/.tools/bin:{os.environ['PATH']}:{ROOT}/.tools/node/bin"}
            subprocess.run(["sh", "-ec", rest], cwd=stage.place(""), env=environment, check=True, timeout=200)
        elif word == "ENV":
            stage.environment |= dict(pair.split("=", 1) for pair in rest.split())
        elif word == "CMD":
            stage.command = json.loads(rest)
        elif word == "USER":
            stage.user = rest
    return stages["last"]


def copy(stage: Stage, stages: dict[str, Stage], words: list[str]) -> None:
    source = stages[words.pop(0).removeprefix("--from=")].root if words[0].startswith("--from=") else ROOT
    *names, target = words
    for name in names:
        found, to = source / name.lstrip("/"), stage.place(target)
        if found.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "node_modules") if source == ROOT else None
            shutil.copytree(found, to, symlinks=True, dirs_exist_ok=True, ignore=ignored)
        else:
            to = to / found.name if target.endswith("/") else to
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(found, to)


@pytest.mark.campaign
@pytest.mark.timeout(300)
def test_what_the_dockerfile_builds_serves(tmp_path: Path) -> None:
    stage = replay((DOCKER / "Dockerfile").read_text(), tmp_path)
    assert stage.user == "10001" and stage.command[0] == "gunicorn"
    inside = stage.place("")
    # The editable package names the folder of the stage that it was installed in, which is the same in an image.
    for link in (inside / ".venv").rglob("*.pth"):
        link.write_text(link.read_text().replace(str(tmp_path / "packages"), str(stage.root)))
    scripts = inside / ".venv" / "bin"
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TEAHOUSE_", "PYTHON"))}
    environment |= {
        **{name: value.replace(HOME, str(inside)) for name, value in stage.environment.items()},
        "PATH": f"{scripts}:{os.environ['PATH']}",
        "TEAHOUSE_DATA_DIR": str(tmp_path / "data"),
        "TEAHOUSE_HOST": "127.0.0.1",
        "TEAHOUSE_PORT": str(port),
    }
    command = [str(scripts / "python"), "-m", stage.command[0], *stage.command[1:]]
    process = subprocess.Popen(command, cwd=inside, env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/readyz", process)
        wait_for(f"http://127.0.0.1:{port}/app/", process)
    finally:
        process.terminate()
        process.wait(20)


def test_compose_names_what_there_is() -> None:
    compose = yaml.safe_load((DOCKER / "compose.yml").read_text())
    services = compose["services"]
    for name, service in services.items():
        for volume in service.get("volumes", ()):
            assert volume.split(":")[0] in compose["volumes"], (name, volume)
        for other in service.get("depends_on", ()):
            assert other in services
        assert set(service["networks"]) <= set(compose["networks"])
    known = (ROOT / ".env.example").read_text()
    for service in services.values():
        for variable in service.get("environment", ()):
            assert f"#{variable}=" in known, variable
    assert (DOCKER / services["app"]["build"]["context"] / services["app"]["build"]["dockerfile"]).is_file()

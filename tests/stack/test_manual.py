"""What deploy/README.md and README.md tell people to type is typed, and works; test_moving.py has the rest.

Commands in tables are looked up: the programs, subcommands and options that they name must be there.
"""

import os
import pwd
import re
import shlex
import shutil
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from app import migrations
from app.cli.main import app
from tests.cli.running import environment, serving
from tests.durability.processes import model_process
from tests.migrations.revisions import contents
from tests.ports import free_port
from tests.stack.certificate import make_certificate
from tests.stack.manual import MANUAL, blocks, commands, sections
from tests.stack.operator import ROOT, Doing, Operator, output_of
from tests.stack.stack import SHIPPED, Service, Stack, stack
from tests.stack.visitor import sign_up

pytestmark = pytest.mark.timeout(240)

ME = pwd.getpwuid(os.geteuid()).pw_name
README = ROOT / "README.md"
MANUALS = (README, ROOT / "README.zh-CN.md", MANUAL, ROOT / "deploy" / "scaling.md", ROOT / "CONTRIBUTING.md")
SET_UP, FLOW = "From a bare Debian to a site", "The whole flow, by curl alone"
DAILY = ("Watching it", "Upgrade", "Back up and restore")
ELSEWHERE = ("In containers", "Past one machine")  # test_containers.py, test_moving.py
PASSWORD = "correct horse battery"


class Newcomer(Operator):
    """Sets a site up on a machine that has nothing of it yet."""

    def __init__(self, folder: Path) -> None:
        self.machine = folder
        self.port = free_port()
        names = {
            "/etc/systemd/system": str(folder / "units"),
            "/etc/nginx/conf.d": str(folder),
            "/etc/letsencrypt/live/tea.example.org": str(folder / "tls"),
            "-o teahouse": f"-o {ME}",
            "--user teahouse": f"--user {ME}",
        }
        super().__init__(folder / "teahouse", names)
        self.app: Service | None = None
        self.doing |= {
            "apt-get": self._packages_are_there,
            "adduser": _looked_at("--system --group --home"),
            "git": self._clone,
            "chown": _looked_at("-R teahouse:teahouse"),
            "systemctl": self._systemctl,
        }

    def _packages_are_there(self, words: list[str]) -> str:
        assert words[1] == "update" or all(shutil.which(name, path="/usr/bin:/usr/sbin") for name in ("git", "make"))
        return ""

    def _clone(self, words: list[str]) -> str:
        assert words[1:] == ["clone", "…", str(self.folder)]
        for name in SHIPPED:
            shutil.copytree(ROOT / name, self.folder / name)
        (self.folder / ".venv").symlink_to(Path(sys.prefix), target_is_directory=True)
        return ""

    def _systemctl(self, words: list[str]) -> str:
        match words[1:]:
            case ["daemon-reload"] | ["reload", "nginx"]:
                pass
            case ["enable", "--now", "teahouse.socket", "teahouse.service"]:
                units = self.machine / "units"
                self.app = Service(self.machine / "state", units / "teahouse.service", units / "teahouse.socket")
                self.app.wait("ready")
            case other:
                raise AssertionError(f"the stand-in does not know {other}")
        return ""


def _looked_at(wanted: str) -> Doing:
    def look(words: list[str]) -> str:
        assert " ".join(words[1:]).startswith(wanted)
        return ""

    return look


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    tmp_path.chmod(0o755)
    (tmp_path / "units").mkdir()
    make_certificate(tmp_path / "tls")
    newcomer = Newcomer(tmp_path)
    try:
        yield newcomer
    finally:
        if newcomer.app is not None:
            newcomer.app.close()


def test_a_site_is_set_up(newcomer: Newcomer) -> None:
    for block in blocks(SET_UP):
        for command in commands(block):
            newcomer.type(command, f"{PASSWORD}\n" * 2)
            if command.startswith("install "):
                settings = f"TEAHOUSE_PORT={newcomer.port}\nTEAHOUSE_EMBEDDED_MODEL=off\nTEAHOUSE_WORKERS=1\n"
                (newcomer.folder / ".env").write_text(settings)
    assert "listen 443" in (newcomer.machine / "teahouse.conf").read_text()
    assert (newcomer.folder / ".env").stat().st_mode & 0o777 == 0o600
    signing_in = urllib.parse.urlencode({"username": "alice", "password": PASSWORD}).encode()
    url = f"http://127.0.0.1:{newcomer.port}/api/v1/auth/login"
    with urllib.request.urlopen(url, signing_in) as answer:
        assert answer.status == 200


class Keeper(Operator):
    """Looks after a site that runs."""

    def __init__(self, site: Stack) -> None:
        self.site = site
        self.backups = site.folder / "backups"
        names = {"/mnt/backups": str(self.backups), "/media/stick": str(site.folder)}
        super().__init__(site.root, names)
        self.doing |= {"git": self._git, "systemctl": self._systemctl}

    def _git(self, words: list[str]) -> str:
        assert words[1:] in (["pull"], ["checkout", "…"])
        return ""

    def _systemctl(self, words: list[str]) -> str:
        match words[1:]:
            case ["reload", "teahouse"]:
                self.site.app.ask("reload")
                self.site.app.wait("main ")
            case ["stop", "teahouse.socket", "teahouse"]:
                self.site.app.ask("stop")
            case ["start", "teahouse.socket", "teahouse"]:
                self.site.app.tell("start")
                self.site.app.wait("ready")
            case other:
                raise AssertionError(f"the stand-in does not know {other}")
        return ""


def test_a_site_is_upgraded_backed_up_restored_and_watched(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with stack(tmp_path, TEAHOUSE_WORKERS="1") as site:
        keeper, database = Keeper(site), site.root / "data" / "teahouse.db"
        keeper.backups.mkdir()
        sign_up(site.url, "alice")
        migrations.snapshot(database, f"before-{migrations.newest_revision()}")
        users = contents(database)["users"]
        for section in reversed(DAILY):
            for command in (command for block in blocks(section) for command in commands(block)):
                said = keeper.type(command)
                if " backup-key " in command:
                    public = re.search(r"\bage1[a-z0-9]+", said)
                    assert public is not None, said
                    keeper.names["age1…"] = public[0]
                elif " backup " in command:
                    newest = max(keeper.backups.iterdir(), key=lambda path: path.stat().st_mtime)
                    keeper.names.setdefault("teahouse-20261124T033000Z.tar.gz", newest.name)
        assert {path.name.partition(".")[2] for path in keeper.backups.iterdir()} == {"tar.gz", "tar.gz.age"}
        assert contents(database)["users"] == users
        site.wait_for("/readyz")
    assert "TEAHOUSE_OTLP_ENDPOINT=" in (site.root / ".env").read_text()


def test_the_flow_of_the_readme_is_what_the_api_does(tmp_path: Path) -> None:
    """Each answer names what the next command is about, in the manual and here."""
    number = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
    steps = re.findall(r"```sh\n(.*?)```\n(?:```(?:json|text)\n(.*?)```)?", sections(README)[FLOW], re.S)
    assert len(steps) == 8
    with model_process() as model, serving(environment(tmp_path, TEAHOUSE_OLLAMA_URL=model.url), tmp_path) as server:
        names, variables, said, job = {"http://127.0.0.1:8000": server.url}, "", "", ""
        for typed, shown in steps:
            for name, own in names.items():
                typed = typed.replace(name, own)
            variables += "".join(f"{line}\n" for line in typed.splitlines() if re.match(r"[A-Z]+=", line))
            for other in {*number.findall(typed)} - {*names.values()}:  # "another one"
                typed = typed.replace(other, job)
            script = f'curl() {{ command curl --silent --show-error --fail-with-body "$@"; }}\n{variables}{typed}'
            said = output_of(["bash", "-euo", "pipefail", "-c", script], tmp_path, dict(os.environ))
            if number.search(shown):
                names[number.findall(shown)[0]] = job = number.findall(said)[0]
            if token := re.search(r'"access_token":"([^"]+)"', said):
                names["eyJhbGciOiJIUzI1NiIs…"] = token[1]
            # The stream of an answer that has ended meanwhile is another one.
            for key in re.findall(r'"([a-z_]+)":', shown if "event:" not in shown else ""):
                assert f'"{key}":' in said, (key, said)
    assert '"status":' in said


def test_every_section_with_commands_is_typed() -> None:
    assert {title for title in sections() if blocks(title)} == {SET_UP, *DAILY, *ELSEWHERE}


@pytest.mark.parametrize("manual", MANUALS, ids=lambda path: path.name)
def test_every_command_that_is_named_is_there(manual: Path) -> None:
    text = manual.read_text()
    targets = set(re.findall(r"^([.\w/-]+)(?: [.\w/-]+)*:", (ROOT / "Makefile").read_text(), re.M))
    named = re.findall(r"(?:^|[`(\s])(?:\.venv/bin/)?(teahouse [a-z][^`\n#|]*)", text)
    assert named or manual.name == "scaling.md"
    for command in named:
        _look_up(shlex.split(command.strip().removesuffix("\\"), comments=True)[1:])
    for target in re.findall(r"(?:`|^)make ([a-z./]+)", text, re.M):
        assert target in targets, f"make {target}"
    for module in re.findall(r"python -m (tests\.[a-z_.]+)", text):
        assert any((ROOT / module.replace(".", "/")).with_suffix(end).exists() for end in ("", ".py")), module


def _look_up(words: list[str]) -> None:
    """Its subcommands and the options that it is given."""
    command: Any = get_command(app)
    while hasattr(command, "commands"):
        assert words and words[0] in command.commands, f"teahouse {words}"
        command = command.commands[words.pop(0)]
    known = {name for parameter in command.params for name in parameter.opts}
    for word in words:
        if re.fullmatch(r"--[a-z-]+", word):
            assert word in known, f"{command.name} {word}"

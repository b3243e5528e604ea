"""A site moves from the SQLite file to PostgreSQL, Redis and Celery as deploy/README.md says, command by command.

The commands are read from the manual. Where they are about this machine itself something stands in for it: systemctl is
the one of these tests, packages are here already, and the installation belongs to one user.
"""

import asyncio
import os
import pwd
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.migrations.revisions import contents
from tests.model_server import answer_for
from tests.ports import free_port
from tests.postgres import BINARIES, Server
from tests.redis import RedisServer, redis_server
from tests.stack.manual import blocks, commands
from tests.stack.stack import ROOT, Service, Stack, stack
from tests.stack.visitor import Visitor, sign_up, visitors

pytestmark = pytest.mark.timeout(240)

PASSWORD = "leaves.of.tea"
LONG = "Of tea [[tokens=200 rate=10]]"
ASKED = [f"Question {number}, 茶 🍵 [[tokens=20 text=unicode]]" for number in range(6)]


class Operator:
    """Types what the manual says, with this site's names in the place of the manual's."""

    def __init__(self, site: Stack, postgres: Path, postgres_port: int, redis: RedisServer) -> None:
        self.site, self._postgres, self._port = site, postgres, postgres_port
        self._names = {
            "PASSWORD": PASSWORD,
            "db.example.org:6379": f"127.0.0.1:{redis.port}",
            "db.example.org/": f"127.0.0.1:{postgres_port}/",
            "/srv/teahouse": str(site.root),
        }
        self.workers: list[Service] = []
        self._doing = {
            "apt-get": self._packages_are_there,
            "sudo": self._as_postgres,
            "cd": self._is_here,
            "make": self._make,
            "systemctl": self._systemctl,
        }

    def type(self, command: str) -> str:
        for name, own in self._names.items():
            command = command.replace(name, own)
        command = command.removeprefix("runuser -u teahouse -- ")
        words = shlex.split(command.splitlines()[0])
        return self._doing.get(words[0], lambda _: self._run(command))(words)

    def _run(self, command: str) -> str:
        own = {name: value for name, value in os.environ.items() if not name.startswith("TEAHOUSE_")}
        return _output(["bash", "-euo", "pipefail", "-c", command], self.site.root, {**own, "PYTHONPATH": "."})

    def _packages_are_there(self, words: list[str]) -> str:
        assert words[1:] == ["install", "postgresql", "redis-server"]
        assert (BINARIES[-1] / "postgres").exists() and shutil.which("redis-server")
        return ""

    def _as_postgres(self, words: list[str]) -> str:
        """Who types a password types it twice, and without a terminal on what takes its place."""
        assert words[1:3] == ["-u", "postgres"]
        program = str(BINARIES[-1] / words[3])
        environment = {"PGHOST": str(self._postgres), "PGPORT": str(self._port), "PATH": os.environ["PATH"]}
        user = pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else None
        return _output([program, *words[4:]], self._postgres, environment, f"{PASSWORD}\n" * 2, user)

    def _is_here(self, words: list[str]) -> str:
        assert words[1:] == [str(self.site.root)]
        return ""

    def _make(self, words: list[str]) -> str:
        """What would be installed, since all of it is; the files of the lock and of the target are looked at."""
        would = _output(["make", "--dry-run", "--always-make", *words[1:]], ROOT, dict(os.environ))
        assert "--require-hashes requirements-scale.lock" in would
        return would

    def _systemctl(self, words: list[str]) -> str:
        match words[1:]:
            case ["stop", "teahouse.socket", "teahouse"]:
                self.site.app.ask("stop")
            case ["start", "teahouse.socket", "teahouse"]:
                self.site.app.tell("start")
                self.site.app.wait("ready")
            case ["enable", "--now", *units]:
                assert units and all(unit.startswith("teahouse-worker@") for unit in units)
                for unit in units:
                    worker = Service(self.site.folder / unit, self.site.units / "teahouse-worker@.service")
                    self.workers.append(worker)
                    worker.wait("started ")
            case other:
                raise AssertionError(f"the stand-in does not know {other}")
        return ""


def _output(
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


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    """A site on SQLite, and a PostgreSQL and a Redis as Debian's packages leave them; Redis was given a password."""
    tmp_path.chmod(0o755)
    with ExitStack() as opened:
        site = opened.enter_context(stack(tmp_path, TEAHOUSE_WORKERS="2"))
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="teahouse-postgres-")))
        port = free_port()
        server = Server(folder, address="127.0.0.1", port=port, superuser="postgres")
        server.initialise()
        server.start()
        opened.callback(server.stop)
        redis = opened.enter_context(redis_server())
        redis.command("CONFIG", "SET", "requirepass", PASSWORD)
        operator = Operator(site, folder, port, redis)
        try:
            yield operator
        finally:
            for worker in operator.workers:
                worker.close()


async def test_a_site_is_moved_by_following_the_manual_word_by_word(operator: Operator) -> None:
    site = operator.site
    tokens = [sign_up(site.url, name) for name in ("alice", "bob")]
    async with visitors(site.url, tokens) as (alice, bob):
        before = [await _answered(visitor, prompt) for visitor in (alice, bob) for prompt in ASKED]
        begun = await alice.begin(LONG)
        assert begun is not None
        reading = asyncio.create_task(alice.watch(begun[0]))
        await asyncio.sleep(2)
        for block in blocks("Past one machine"):
            for command in commands(block):
                said = await asyncio.to_thread(operator.type, command)
                if " db copy " in command:
                    _compare(operator, said)
        assert len(operator.workers) == 2
        for visitor, message in before:
            assert await visitor.ask("GET", f"/messages/{message['id']}") == message
        seen = await asyncio.wait_for(reading, 60)
        whole = "".join(answer_for(LONG))
        assert (seen.text, seen.restarts, seen.shrank) == (whole, 0, 0)
        assert (await alice.ask("GET", f"/messages/{begun[1]}"))["content"] == whole
        _, after = await _answered(bob, "And now? [[tokens=5]]")
        assert after["status"] == "complete"
    settings = (site.root / ".env").read_text()
    assert "TEAHOUSE_JOBS_ENGINE=celery" in settings and f"{PASSWORD}@127.0.0.1" in settings


async def _answered(visitor: Visitor, prompt: str) -> tuple[Visitor, dict[str, object]]:
    begun = await visitor.begin(prompt)
    assert begun is not None, visitor.failed
    seen = await asyncio.wait_for(visitor.watch(begun[0]), 30)
    assert seen.text == "".join(answer_for(prompt))
    return visitor, await visitor.ask("GET", f"/messages/{begun[1]}")


def _compare(operator: Operator, said: str) -> None:
    """The way back, too, as the manual has it: the same sums, and every row as it was before it left."""
    data = operator.site.root / "data"
    address = "postgresql://teahouse:PASSWORD@db.example.org/teahouse"
    back = operator.type(f".venv/bin/teahouse db copy {address} sqlite:///data/back.db")
    assert back == said and said.splitlines()[-1] == "Every row has arrived as it left."
    assert {"users", "conversations", "messages", "jobs"} <= {line.split()[1] for line in said.splitlines()[:-1]}
    left, returned = contents(data / "teahouse.db"), contents(data / "back.db")
    del left["sqlite_sequence"], returned["sqlite_sequence"]
    assert len(left["messages"]) == 4 * len(ASKED) + 2
    assert {table: sorted(map(repr, rows)) for table, rows in left.items()} == {
        table: sorted(map(repr, rows)) for table, rows in returned.items()
    }

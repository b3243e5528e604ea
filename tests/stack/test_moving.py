"""A site moves from the SQLite file to PostgreSQL, Redis and Celery as deploy/README.md says, command by command."""

import asyncio
import os
import pwd
import re
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.migrations.copying import NOT_COPIED
from tests.migrations.revisions import contents
from tests.model_server import answer_for
from tests.ports import free_port
from tests.postgres import BINARIES, Server
from tests.redis import RedisServer, redis_server
from tests.stack.manual import blocks, commands
from tests.stack.operator import Operator, output_of
from tests.stack.stack import Service, Stack, stack
from tests.stack.visitor import Visitor, sign_up, visitors

pytestmark = pytest.mark.timeout(240)

PASSWORD = "leaves.of.tea"
LONG = "Of tea [[tokens=200 rate=10]]"
ASKED = [f"Question {number}, 茶 🍵 [[tokens=20 text=unicode]]" for number in range(6)]


class Mover(Operator):
    """With PostgreSQL and Redis as Debian's packages leave them."""

    def __init__(self, site: Stack, postgres: Path, postgres_port: int, redis: RedisServer) -> None:
        names = {
            "PASSWORD": PASSWORD,
            "db.example.org:6379": f"127.0.0.1:{redis.port}",
            "db.example.org/": f"127.0.0.1:{postgres_port}/",
        }
        super().__init__(site.root, names)
        self.site, self._postgres, self._port = site, postgres, postgres_port
        self.workers: list[Service] = []
        self.doing |= {"apt-get": self._packages_are_there, "sudo": self._as_postgres, "systemctl": self._systemctl}

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
        return output_of([program, *words[4:]], self._postgres, environment, f"{PASSWORD}\n" * 2, user)

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


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Mover]:
    """A site on SQLite, and a PostgreSQL and a Redis as Debian's packages leave them; Redis was given a password."""
    tmp_path.chmod(0o755)
    with ExitStack() as opened:
        metrics = str(free_port())
        site = opened.enter_context(stack(tmp_path, TEAHOUSE_WORKERS="2", TEAHOUSE_METRICS_PORT=metrics))
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="teahouse-postgres-")))
        port = free_port()
        server = Server(folder, address="127.0.0.1", port=port, superuser="postgres")
        server.initialise()
        server.start()
        opened.callback(server.stop)
        redis = opened.enter_context(redis_server())
        redis.command("CONFIG", "SET", "requirepass", PASSWORD)
        operator = Mover(site, folder, port, redis)
        try:
            yield operator
        finally:
            for worker in operator.workers:
                worker.close()


async def test_a_site_is_moved_by_following_the_manual_word_by_word(operator: Mover) -> None:
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
        async with asyncio.timeout(30):  # until all have started
            while await asyncio.to_thread(_told_by_workers, site) != b"teahouse_processes 4.0":  # noqa: ASYNC110
                await asyncio.sleep(0.1)
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


def _told_by_workers(site: Stack) -> bytes:
    """Of both web processes and both workers, which share a machine: one of the workers answers."""
    port = re.search(r"TEAHOUSE_METRICS_PORT=(\d+)", (site.root / ".env").read_text())
    assert port is not None
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port[1]}/metrics", timeout=10) as answer:
            lines: list[bytes] = answer.read().splitlines()
    except urllib.error.URLError:
        return b""
    return next(line for line in lines if line.startswith(b"teahouse_processes "))


async def _answered(visitor: Visitor, prompt: str) -> tuple[Visitor, dict[str, object]]:
    begun = await visitor.begin(prompt)
    assert begun is not None, visitor.failed
    seen = await asyncio.wait_for(visitor.watch(begun[0]), 30)
    assert seen.text == "".join(answer_for(prompt))
    return visitor, await visitor.ask("GET", f"/messages/{begun[1]}")


def _compare(operator: Mover, said: str) -> None:
    """The way back, too, as the manual has it: the same sums, and every row as it was before it left."""
    data = operator.site.root / "data"
    address = "postgresql://teahouse:PASSWORD@db.example.org/teahouse"
    back = operator.type(f".venv/bin/teahouse db copy {address} sqlite:///data/back.db")
    assert back == said and said.splitlines()[-1] == "Every row has arrived as it left."
    assert {"users", "conversations", "messages", "jobs"} <= {line.split()[1] for line in said.splitlines()[:-1]}
    left, returned = contents(data / "teahouse.db"), contents(data / "back.db")
    for each in (left, returned):
        for table in ("sqlite_sequence", *NOT_COPIED):
            del each[table]
    assert len(left["messages"]) == 4 * len(ASKED) + 2
    assert {table: sorted(map(repr, rows)) for table, rows in left.items()} == {
        table: sorted(map(repr, rows)) for table, rows in returned.items()
    }

"""A process without descriptors, a database whose WAL was damaged, a log folder that is gone."""

import contextlib
import os
import resource
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import aiohttp
import pysqlite3
import pytest

from tests.durability.client import Client
from tests.durability.processes import model_process, server_process, wait_for
from tests.model_server import answer_for

pytestmark = [pytest.mark.kill, pytest.mark.timeout(120)]


@pytest.mark.usefixtures("kind_of_database")
async def test_F39_without_descriptors_nothing_breaks_for_good(tmp_path: Path) -> None:
    with model_process() as model, server_process(tmp_path / "data", model.url) as server:
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (48, 48))
        with contextlib.ExitStack() as crowd:
            for _ in range(60):
                with contextlib.suppress(OSError):
                    crowd.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=1))
        wait_for(f"{server.url}/healthz", server.process)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as http:
            client = Client(http, server.url, "alice")
            await client.sign_in()
            accepted = await client.send(await client.conversation(), "still there? [[tokens=5]]", "one")
            seen = await client.follow(accepted["job"]["id"])
            assert seen.text == "".join(answer_for("still there? [[tokens=5]]"))


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
async def test_F20_a_damaged_wal_loses_its_end_and_nothing_else(tmp_path: Path, damage: str) -> None:
    with model_process() as model, server_process(tmp_path / "data", model.url) as server:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as http:
            client = Client(http, server.url, "alice")
            await client.sign_in()
            conversation = await client.conversation()
            accepted = await client.send(conversation, "one [[tokens=20]]", "one")
            await client.follow(accepted["job"]["id"])
            server.kill()
            _damage(tmp_path / "data" / "teahouse.db-wal", damage)
            server.start()
            async with http.get(f"{server.url}/readyz") as answer:
                assert answer.status == 200
    database = pysqlite3.connect(str(tmp_path / "data" / "teahouse.db"))
    with contextlib.closing(database):
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM jobs WHERE status = 'running'").fetchone() == (0,)


def _damage(wal: Path, how: str) -> None:
    content = bytearray(wal.read_bytes())
    assert len(content) > 20_000, "there is something to damage"
    if how == "gone":
        wal.unlink()
        return
    middle = len(content) // 2
    content[middle] ^= 0xFF
    wal.write_bytes(content[:middle] if how == "cut" else content)


@pytest.mark.usefixtures("kind_of_database")
async def test_F40_requests_go_on_when_the_log_folder_is_taken_away(tmp_path: Path) -> None:
    with model_process() as model, server_process(tmp_path / "data", model.url) as server:
        (tmp_path / "data" / "logs").rename(tmp_path / "taken")  # at once, whatever is being written there
        shutil.rmtree(tmp_path / "taken", ignore_errors=True)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as http:
            client = Client(http, server.url, "alice")
            await client.sign_in()
            assert await client.conversation()


def test_F28_nothing_is_open_before_lifespan_so_a_fork_shares_nothing(tmp_path: Path) -> None:
    """What Gunicorn does with preload: the application is made in the master, opened in the workers."""
    program = """
import os, threading
import app.main
app.main.create_app()
paths = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
links = [os.readlink(path) for path in paths if os.path.lexists(path)]
print(threading.active_count(), [link for link in links if "teahouse.db" in link or link.startswith("socket")])
"""
    environment = {**os.environ, "TEAHOUSE_DATA_DIR": str(tmp_path), "TEAHOUSE_EMBEDDED_MODEL": "off"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1 []", done.stdout

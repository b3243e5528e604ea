"""The processes behind the browser: a scripted model server and Teahouse, each on its own."""

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from app.accounts.principal import CONFIRMED_FOR
from app.clock import utcnow
from app.db.session import plain_connection
from app.db.types import to_text
from tests.databases import new_database_url
from tests.fork_server import Forked
from tests.ports import free_port

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class LiveServer:
    """A Teahouse that runs."""

    url: str
    data_dir: Path
    database: Path | str
    process: subprocess.Popen[bytes]

    def everybody_signed_in_long_ago(self) -> None:
        """Nobody gave their password lately."""
        connection = plain_connection(self.database, write=True, name="test")
        then = to_text(utcnow() - CONFIRMED_FOR - timedelta(seconds=1))
        connection.execute("UPDATE sessions SET confirmed_at = NULL, created_at = ?", (then,))
        connection.commit()
        connection.close()


@contextlib.contextmanager
def model_process(module: str = "tests.browser.markdown", *options: str) -> Iterator[str]:
    """The scripted server's address for Ollama."""
    with Forked([module, *options], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.kill()


@contextlib.contextmanager
def teahouse_process(
    data_dir: Path, model_url: str, *, port: int = 0, root: Path = ROOT, **settings: str
) -> Iterator[LiveServer]:
    """A real uvicorn on a free port, of the code in `root`; `settings` without their prefix, in small letters."""
    port = port or free_port()
    given = {"data_dir": str(data_dir), "ollama_url": model_url, "embedded_model": "off", "rate_limit": "0"}
    given["model_slots"] = "4"  # what an earlier test has left running holds up nobody
    given |= {"database_url": new_database_url()} | settings
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TEAHOUSE_")}
    environment = clean | {f"TEAHOUSE_{name.upper()}": value for name, value in given.items()}
    command = ["uvicorn", "app.main:app", "--port", str(port), "--no-access-log", "--timeout-graceful-shutdown", "2"]
    log = (data_dir.parent / "server.log").open("ab")
    how: dict[str, Any] = {"cwd": root, "env": environment, "stdout": log, "stderr": log}
    other = None if root == ROOT else [sys.executable, "-m", *command]
    with log, subprocess.Popen(other, **how) if other else Forked(command, **how) as process:
        try:
            _wait_for(f"http://127.0.0.1:{port}/healthz", process)
            database = given["database_url"] or data_dir / "teahouse.db"
            yield LiveServer(f"http://127.0.0.1:{port}", data_dir, database, process)
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()


def _wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{url} did not answer")

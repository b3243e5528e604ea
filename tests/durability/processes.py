"""The processes under fire, and whoever starts them again."""

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.databases import new_database_url
from tests.fork_server import TEAHOUSE, Forked
from tests.ports import free_port

ROOT = Path(__file__).parent.parent.parent


def wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1) as answer:
            if answer.status == 200:
                return
        if process.poll() is not None:
            raise RuntimeError(f"the process ended with {process.returncode}")
        time.sleep(0.02)
    raise RuntimeError(f"{url} did not answer within {seconds} s")


class ModelProcess:
    """The scripted model server on one port; killed and started again there."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        self.process = Forked(
            ["tests.model_server", "--port", str(self.port)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdout is not None
        json.loads(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


class ServerProcess:
    """`teahouse serve`, alone or with Gunicorn's workers; started again on the same port and data."""

    def __init__(self, data_dir: Path, model_url: str, workers: int = 1, **settings: str) -> None:
        self.port, self.workers, self.data_dir = free_port(), workers, data_dir
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TEAHOUSE_")},
            "TEAHOUSE_DATA_DIR": str(data_dir),
            "TEAHOUSE_PORT": str(self.port),
            "TEAHOUSE_OLLAMA_URL": model_url,
            "TEAHOUSE_EMBEDDED_MODEL": "off",
            "TEAHOUSE_MODEL_SLOTS": "0",
            "TEAHOUSE_MAX_RUNNING_PER_USER": "0",
            "TEAHOUSE_MAX_QUEUED_PER_USER": "0",
            "TEAHOUSE_MAX_STREAMS_PER_USER": "0",
            "TEAHOUSE_RATE_LIMIT": "0",
            "TEAHOUSE_DATABASE_URL": new_database_url(),
            **settings,
        }
        self.database: Path | str = self._environment["TEAHOUSE_DATABASE_URL"] or data_dir / "teahouse.db"
        self.start()

    def start(self) -> None:
        self.process = Forked(
            [TEAHOUSE, "serve", "--workers", str(self.workers)],
            cwd=self.data_dir,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(f"{self.url}/healthz", self.process)

    def worker_pids(self) -> list[int]:
        """The children that serve; one that was killed is a child until Gunicorn has seen it."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split() if _is_alive(int(pid))]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def terminate(self, seconds: float = 15) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(seconds)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def model_process() -> Iterator[ModelProcess]:
    model = ModelProcess()
    try:
        yield model
    finally:
        model.kill()


@contextlib.contextmanager
def server_process(data_dir: Path, model_url: str, workers: int = 1, **settings: str) -> Iterator[ServerProcess]:
    data_dir.mkdir(parents=True, exist_ok=True)
    server = ServerProcess(data_dir, model_url, workers=workers, **settings)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.terminate()
        if server.process.poll() is None:
            server.kill()

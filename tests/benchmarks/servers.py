"""The processes of a benchmark: the scripted model server and Teahouse, each on its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
NO_LIMITS = {
    "TEAHOUSE_MODEL_SLOTS": "0",
    "TEAHOUSE_MAX_RUNNING_PER_USER": "0",
    "TEAHOUSE_MAX_QUEUED_PER_USER": "0",
    "TEAHOUSE_MAX_QUEUED": "0",
    "TEAHOUSE_MAX_STREAMS_PER_USER": "0",
    "TEAHOUSE_RATE_LIMIT": "0",
    "TEAHOUSE_EMBEDDED_MODEL": "off",
}


@dataclass(slots=True)
class Server:
    process: subprocess.Popen[bytes]
    url: str
    started_in: float  # seconds to the first 200

    @property
    def pid(self) -> int:
        return self.process.pid

    def cpu_seconds(self) -> float:
        """User and system time of the process, its ended children included."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def resident_mib(self) -> float:
        return resident_mib(self.pid)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(15)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


@contextlib.contextmanager
def model_server() -> Iterator[str]:
    """The scripted server's Ollama address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.model_server"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def start_teahouse(data_dir: Path, ollama_url: str, port: int, **settings: str) -> Server:
    """`teahouse serve`, once it answers."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TEAHOUSE_")},
        **NO_LIMITS,
        "TEAHOUSE_DATA_DIR": str(data_dir),
        "TEAHOUSE_OLLAMA_URL": ollama_url,
        "TEAHOUSE_PORT": str(port),
        **settings,
    }
    began = time.monotonic()
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "teahouse"), "serve"],
        cwd=data_dir,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    server = Server(process, f"http://127.0.0.1:{port}", 0.0)
    while time.monotonic() - began < 30:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{server.url}/healthz", timeout=1) as answer:
            if answer.status == 200:
                server.started_in = time.monotonic() - began
                return server
        if process.poll() is not None:
            raise RuntimeError(f"teahouse serve ended with {process.returncode}")
        time.sleep(0.01)
    server.stop()
    raise RuntimeError("teahouse serve did not answer within 30 s")

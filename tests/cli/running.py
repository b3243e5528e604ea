"""The `teahouse` command as people run it: a process, its words and its end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.durability.processes import wait_for
from tests.fork_server import TEAHOUSE, Forked
from tests.ports import free_port

COMMAND = [str(Path(sys.executable).parent / "teahouse")]


def environment(data_dir: Path, **variables: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("TEAHOUSE_")}
    return {**own, "TEAHOUSE_DATA_DIR": str(data_dir), "TEAHOUSE_EMBEDDED_MODEL": "off", **variables}


def teahouse(
    *arguments: str, env: dict[str, str], cwd: Path, stdin: str = "", seconds: float = 30
) -> subprocess.CompletedProcess[str]:
    """To its end."""
    pipe = subprocess.PIPE
    with Forked([TEAHOUSE, *arguments], env=env, cwd=cwd, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            said, complained = process.communicate(stdin, timeout=seconds)
        finally:
            process.kill()
    return subprocess.CompletedProcess(arguments, process.returncode, said, complained)


class Serving:
    """`teahouse serve` on one port; killed and started again there."""

    def __init__(self, env: dict[str, str], cwd: Path, *arguments: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._env = {**env, "TEAHOUSE_PORT": str(self.port)}
        self._cwd, self._arguments = cwd, arguments
        self.start()

    def start(self) -> None:
        self.process = Forked(
            [TEAHOUSE, "serve", *self._arguments],
            env=self._env,
            cwd=self._cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            wait_for(f"{self.url}/healthz", self.process)
        except RuntimeError:
            self.process.kill()
            raise AssertionError(self.process.communicate()) from None

    def lines(self) -> list[str]:
        """What it has said, to the end of its greeting."""
        assert self.process.stdout is not None
        said: list[str] = []
        while not said or not said[-1].startswith("Ctrl-C"):
            line = self.process.stdout.readline().decode()
            assert line, said
            said.append(line.rstrip("\n"))
        return said

    def terminate(self) -> tuple[int, str, float]:
        """Exit code, what it said on standard error, and the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors.decode(), time.monotonic() - began

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def serving(env: dict[str, str], cwd: Path, *arguments: str) -> Iterator[Serving]:
    server = Serving(env, cwd, *arguments)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.terminate()

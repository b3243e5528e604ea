"""A Redis of the tests' own, which keeps nothing; killed and started again on its port."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from tests.ports import free_port


class RedisServer:
    def __init__(self, folder: Path, address: str) -> None:
        self._folder, self._address, self.port = folder, address, free_port()
        self.url = f"redis://{address}:{self.port}/0"
        self.start()

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", self._address, "--save", "", "--dir", str(self._folder)]
        options += ["--protected-mode", "no"]
        self.process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            try:
                with redis.Redis.from_url(self.url) as client:
                    client.ping()
                return
            except redis.ConnectionError:
                assert time.monotonic() < deadline
                time.sleep(0.02)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def forget(self) -> None:
        """FLUSHALL."""
        self.command("FLUSHALL")

    def command(self, *words: str | int, password: str = "") -> Any:
        with redis.Redis.from_url(self.url, password=password or None, socket_timeout=30) as client:
            return client.execute_command(*words)


@contextmanager
def redis_server(address: str = "127.0.0.1") -> Iterator[RedisServer]:
    folder = Path(tempfile.mkdtemp(prefix="teahouse-redis-"))
    server = RedisServer(folder, address)
    try:
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)

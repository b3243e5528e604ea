"""The scripted server as a process of its own, for tests."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fork_server import Forked

ROOT = Path(__file__).parents[2]


@contextmanager
def model_server_process(*options: str) -> Iterator[str]:
    """Its address, for Ollama."""
    with Forked(["tests.model_server", *options], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield str(json.loads(process.stdout.readline())["url"])
        finally:
            process.terminate()

"""The three configurations: SQLite alone, PostgreSQL alone, and PostgreSQL with Redis and Celery's workers."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.settings import Settings
from tests.cli.running import environment
from tests.databases import plain_connection
from tests.fork_server import TEAHOUSE, Forked
from tests.model_server import ModelServer
from tests.process import Process

CONFIGURATIONS = ("sqlite", "postgresql", "celery")
ROOT = Path(__file__).parents[2]


class Worker:
    """`teahouse worker`, for one database and one Redis."""

    def __init__(self, settings: Settings, *arguments: str) -> None:
        self._settings, self._arguments = settings, arguments
        self.start()

    def start(self) -> None:
        own = {
            "TEAHOUSE_DATABASE_URL": self._settings.database_url,
            "TEAHOUSE_REDIS_URL": self._settings.redis_url,
            "TEAHOUSE_OLLAMA_URL": self._settings.ollama_url,
            "TEAHOUSE_JOBS_ENGINE": "celery",
            "TEAHOUSE_MODEL_SLOTS": str(self._settings.model_slots),
            "TEAHOUSE_MAX_RUNNING_PER_USER": str(self._settings.max_running_per_user),
            "TEAHOUSE_SECRET_KEY": self._settings.secret_key,
            "TEAHOUSE_METRICS_PORT": str(self._settings.metrics_port),
        }
        env = environment(self._settings.data_dir, **own)
        self.process = Forked([TEAHOUSE, "worker", *self._arguments], cwd=ROOT, env=env, stdout=subprocess.DEVNULL)

    def wait(self, settings: Settings | None = None, seconds: float = 60) -> None:
        """Until it has opened: the event log's connection bears the process's number.

        `settings`: how one gets there from here, if not as the worker does.
        """
        deadline = time.monotonic() + seconds
        query = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE ?"
        connection = plain_connection(settings or self._settings)
        try:
            while connection.execute(query, (f"process-{self.process.pid}-%",)).fetchone() is None:
                assert self.process.poll() is None and time.monotonic() < deadline
                time.sleep(0.05)
        finally:
            connection.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """As systemd stops it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@contextmanager
def worker_on(settings: Settings, *arguments: str) -> Iterator[Worker]:
    worker = Worker(settings, *arguments)
    try:
        yield worker
    finally:
        if worker.process.poll() is None:
            worker.kill()


@dataclass(slots=True)
class Site:
    """A web process and the model server."""

    web: Process
    model: ModelServer
    settings: Settings

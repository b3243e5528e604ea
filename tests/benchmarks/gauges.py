"""What processes hold at one moment: memory, open files, connections, keys. To be compared with a later one."""

import re
from dataclasses import dataclass, fields
from pathlib import Path

import psycopg
import redis

CONNECTIONS_A_PROCESS = 3  # of a pool that grows when it is needed and shrinks when it is not
FILES_A_PROCESS = CONNECTIONS_A_PROCESS + 1
MEMORY_SHARE = 0.08


@dataclass(frozen=True, slots=True)
class Gauges:
    processes: int
    web_pss_mib: float
    worker_pss_mib: float
    open_files: int
    threads: int
    run_files: int
    postgres_connections: int
    redis_keys: int
    redis_clients: int
    redis_mib: float
    unfolded_events: int
    open_jobs: int


@dataclass(frozen=True, slots=True)
class Site:
    """Where to look. Of a process that has children these count, too."""

    web: int
    worker: int
    run_dirs: tuple[Path, ...]
    database_url: str
    redis_url: str

    def pss_mib(self) -> float:
        return sum(map(pss_mib, family(self.web, self.worker)))

    def read(self) -> Gauges:
        pids = family(self.web, self.worker)
        with psycopg.connect(self.database_url) as database, redis.Redis.from_url(self.redis_url) as broker:

            def count(query: str) -> int:
                return int((database.execute(query).fetchone() or (0,))[0])

            return Gauges(
                processes=len(pids),
                web_pss_mib=round(sum(map(pss_mib, family(self.web))), 1),
                worker_pss_mib=round(sum(map(pss_mib, family(self.worker))), 1),
                open_files=sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids),
                threads=sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in pids),
                run_files=sum(len(list(folder.iterdir())) for folder in self.run_dirs if folder.exists()),
                postgres_connections=count(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                ),
                redis_keys=broker.dbsize(),
                redis_clients=broker.info("clients")["connected_clients"] - 1,
                redis_mib=round(broker.info("memory")["used_memory"] / 2**20, 2),
                unfolded_events=count("SELECT count(*) FROM job_events"),
                open_jobs=count("SELECT count(*) FROM jobs WHERE finished_at IS NULL"),
            )


def family(*pids: int) -> list[int]:
    """These processes and all below them."""
    found = list(pids)
    for pid in found:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            found += map(int, children.read_text().split())
    return found


def pss_mib(pid: int) -> float:
    """Pages that several share are counted once in all."""
    return int(re.findall(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)[0]) / 1024


def grown(before: Gauges, after: Gauges) -> list[str]:
    """What is more than it was, by more than pools and allocators breathe."""
    room = {
        "web_pss_mib": before.web_pss_mib * MEMORY_SHARE,
        "worker_pss_mib": before.worker_pss_mib * MEMORY_SHARE,
        "open_files": FILES_A_PROCESS * before.processes,
        "postgres_connections": CONNECTIONS_A_PROCESS * before.processes,
        "redis_clients": before.processes,
        "threads": 2 * before.processes,  # executors start theirs when they are first needed
        "redis_mib": 0.5,
        "unfolded_events": float("inf"),  # goes a minute after its answer has ended: the whole day looks at it
    }
    names = [field.name for field in fields(Gauges)]
    pairs = [(name, getattr(before, name), getattr(after, name)) for name in names]
    return [f"{name}: {old} before, {new} after" for name, old, new in pairs if new > old + room.get(name, 0)]


def slope(samples: list[tuple[float, float]]) -> float:
    """Least squares, per second."""
    mean_x, mean_y = (sum(column) / len(samples) for column in zip(*samples, strict=True))
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    return sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread if spread else 0.0

"""A process that claims until nothing is left: `python -m tests.jobs.claimer DATABASE OWNER`."""

import sys
import time
from pathlib import Path

from app.db.session import Database
from tests.jobs.rows import claim, transaction


def main(where: str, owner: str) -> None:
    """Prints what it claimed, one `id attempt` a line."""
    database = Database(where if where.startswith("postgresql:") else Path(where), sync="normal")
    connection = database.connect(write=True)
    print("ready", flush=True)
    sys.stdin.readline()
    while True:
        with transaction(connection):
            job = claim(connection, owner=owner)
        if job is None:
            break
        print(job.id, job.attempt)
        time.sleep(0.002)  # SQLite's busy handler is unfair: else the first one in gets nearly all


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A process that claims until nothing is left: `python -m tests.jobs.claimer DATABASE OWNER`."""

import sys
import time

from app.db import sqlite
from tests.jobs.rows import claim, transaction


def main(path: str, owner: str) -> None:
    """Prints what it claimed, one `id attempt` a line."""
    connection = sqlite.connect(path, write=True, synchronous="OFF")  # a claim is raced for, not a disk tested
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

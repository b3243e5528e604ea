"""A process that claims until nothing is left: `python -m tests.jobs.claimer DATABASE OWNER`."""

import sys
import time

from app.db import sqlite
from tests.jobs.rows import claim, transaction


def main(path: str, owner: str) -> None:
    """Prints what it claimed, one `id attempt` a line, and its slowest claim in seconds last."""
    connection = sqlite.connect(path, write=True)
    print("ready", flush=True)
    sys.stdin.readline()
    slowest = 0.0
    while True:
        began = time.monotonic()
        with transaction(connection):
            job = claim(connection, owner=owner)
        slowest = max(slowest, time.monotonic() - began)
        if job is None:
            break
        print(job.id, job.attempt)
    print(slowest, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

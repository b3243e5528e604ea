"""Claims that race, in real processes."""

import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings
from tests.effort import effort
from tests.fork_server import Forked
from tests.jobs.rows import add_job, add_user, broken_invariants, transaction

ROOT = Path(__file__).parents[2]
JOBS, PROCESSES = effort(200, 1000), 4


@pytest.mark.campaign
def test_F24_four_processes_claim_hundreds_of_jobs_each_once(settings: Settings, connection: Any) -> None:
    with transaction(connection):
        users = [add_user(connection, f"user{number}") for number in range(10)]
        jobs = [add_job(connection, users[number % 10]) for number in range(JOBS)]
    claimers = [
        Forked(
            ["tests.jobs.claimer", str(settings.database), f"process-{number}-test"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    for claimer in claimers:
        assert claimer.stdout is not None
        assert claimer.stdout.readline() == "ready\n"
    for claimer in claimers:  # the barrier: all begin now
        assert claimer.stdin is not None
        claimer.stdin.write("go\n")
        claimer.stdin.flush()
    outputs = [claimer.communicate(timeout=60)[0].split("\n")[:-1] for claimer in claimers]
    assert [claimer.returncode for claimer in claimers] == [0] * PROCESSES
    claims = [line for output in outputs for line in output]
    assert Counter(claims) == Counter(f"{job_id} 1" for job_id in jobs)
    assert sum(len(output) > 0 for output in outputs) >= 2  # else nothing was raced for
    assert connection.execute("SELECT DISTINCT attempt, status FROM jobs").fetchall() == [(1, "running")]
    assert broken_invariants(connection) == []

"""Any order of posts, claims, texts, beats, releases, ends, cancels and rescues, against a model of one page."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pysqlite3
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import StaticPool, create_engine

from app.all_models import Base
from app.db import sqlite
from app.jobs import lease, registry
from app.jobs.control import cancel_now
from app.jobs.lease import MAX_CRASHES, End
from app.jobs.maintenance import rescue
from app.jobs.states import JobStatus
from tests.effort import effort
from tests.jobs.rows import add_job, add_user, broken_invariants, claim, job_row, text_of, transaction
from tests.jobs.stub import StubHandler

PER_USER = 2
UNTIL = "2026-11-24T00:00:00.000000Z"
SEQUENCES = (None, "a", "b")


@lru_cache(maxsize=1)
def template() -> Any:
    """All tables, in memory."""
    connection = pysqlite3.connect(":memory:", isolation_level=None)
    Base.metadata.create_all(create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool))
    return connection


@dataclass
class Model:
    """What a job should be."""

    id: str
    user: str
    sequence: str | None
    status: str = "queued"
    attempt: int = 0
    crashes: int = 0
    text: str = ""
    wrote: bool = False
    wants_cancel: bool = False

    @property
    def is_open(self) -> bool:
        return self.status in ("queued", "running")


@dataclass(frozen=True)
class Holder:
    """Somebody who thinks that a job is theirs; they are never told otherwise."""

    job: Model
    attempt: int

    @property
    def is_right(self) -> bool:
        return self.job.status == "running" and self.job.attempt == self.attempt


class JobsMachine(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.connection: Any = pysqlite3.connect(":memory:", isolation_level=None)
        template().backup(self.connection)
        sqlite.prepare(self.connection, write=True)
        registry.register("stub", StubHandler())
        self.users = [add_user(self.connection, name) for name in ("alice", "bob")]
        self.jobs: list[Model] = []
        self.holders: list[Holder] = []

    def teardown(self) -> None:
        registry._handlers.pop("stub", None)
        if hasattr(self, "connection"):
            self.connection.close()

    @rule(user=st.integers(0, 1), sequence=st.sampled_from(SEQUENCES))
    def post(self, user: int, sequence: str | None) -> None:
        with transaction(self.connection):
            job_id = add_job(self.connection, self.users[user], sequence_key=sequence)
        self.jobs.append(Model(job_id, self.users[user], sequence))

    @rule()
    def claim(self) -> None:
        self.connection.execute("UPDATE jobs SET run_after = '2026-01-01T00:00:00.000000Z'")
        with transaction(self.connection):
            claimed = claim(self.connection, per_user=PER_USER)
        expected = self.claimable()
        if claimed is None:
            assert expected == []
            return
        job = next(job for job in self.jobs if job.id == claimed.id)
        assert job in expected
        job.status, job.attempt, job.wrote = "running", job.attempt + 1, False
        assert claimed.attempt == job.attempt
        self.holders.append(Holder(job, job.attempt))

    def claimable(self) -> list[Model]:
        """The oldest free job of each user who has fewest running."""
        running = {user: sum(j.user == user and j.status == "running" for j in self.jobs) for user in self.users}
        free = [j for j in self.jobs if j.status == "queued" and self.is_first(j) and running[j.user] < PER_USER]
        least = min((running[j.user] for j in free), default=0)
        oldest = {j.user: j for j in reversed(free) if running[j.user] == least}
        return list(oldest.values())

    def is_first(self, job: Model) -> bool:
        others = [j for j in self.jobs if job.sequence and j.sequence == job.sequence and j.is_open]
        return not others or (others[0] is job and all(j.status == "queued" for j in others))

    @precondition(lambda self: self.holders)
    @rule(data=st.data(), text=st.sampled_from(["x", "yz"]))
    def append(self, data: st.DataObject, text: str) -> None:
        holder = data.draw(st.sampled_from(self.holders))
        job = holder.job
        with transaction(self.connection):
            fenced = lease.fence(self.connection, job.id, holder.attempt, 1, UNTIL)
            if fenced is not None:
                assert fenced[1] == job.wants_cancel
                lease.append_at(self.connection, job.id, holder.attempt, fenced[0], "delta", {"text": text})
        assert (fenced is not None) == holder.is_right
        if holder.is_right:
            job.text, job.wrote = job.text + text, True

    @precondition(lambda self: self.holders)
    @rule(data=st.data())
    def beat(self, data: st.DataObject) -> None:
        holder = data.draw(st.sampled_from(self.holders))
        with transaction(self.connection):
            assert (
                lease.fence(self.connection, holder.job.id, holder.attempt, 0, UNTIL) is not None
            ) == holder.is_right

    @precondition(lambda self: self.holders)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        holder = data.draw(st.sampled_from(self.holders))
        with transaction(self.connection):
            released = lease.release(self.connection, holder.job.id, holder.attempt)
        assert (released is not None) == holder.is_right
        if holder.is_right:
            holder.job.status = "queued"

    @precondition(lambda self: self.holders)
    @rule(data=st.data(), status=st.sampled_from([JobStatus.succeeded, JobStatus.failed]))
    def finish(self, data: st.DataObject, status: JobStatus) -> None:
        holder = data.draw(st.sampled_from(self.holders))
        with transaction(self.connection):  # as the event log does: the fence comes first
            is_held = lease.fence(self.connection, holder.job.id, holder.attempt, 0, UNTIL) is not None
            done = lease.end(self.connection, holder.job.id, holder.attempt, End(status)) if is_held else None
        assert (done is not None) == holder.is_right
        if holder.is_right:
            holder.job.status = status

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), at_once=st.booleans())
    def cancel(self, data: st.DataObject, at_once: bool) -> None:
        job = data.draw(st.sampled_from(self.jobs))
        with transaction(self.connection):
            done = cancel_now(self.connection, job.id, at_once=at_once)
        ends = job.status == "queued" or (at_once and job.status == "running")
        assert (done is not None) == ends
        if ends:
            job.status = "cancelled"
        elif job.status == "running":
            job.wants_cancel = True

    @precondition(lambda self: any(job.status == "running" for job in self.jobs))
    @rule(data=st.data(), crashed=st.booleans())
    def rescue(self, data: st.DataObject, crashed: bool) -> None:
        job = data.draw(st.sampled_from([job for job in self.jobs if job.status == "running"]))
        with transaction(self.connection):
            assert rescue(self.connection, job.id, job.attempt, crashed=crashed) is not None
            assert rescue(self.connection, job.id, job.attempt, crashed=crashed) is None
        job.crashes = (0 if job.wrote else job.crashes) + 1 if crashed and not job.wants_cancel else job.crashes
        job.status = "cancelled" if job.wants_cancel else "failed" if job.crashes >= MAX_CRASHES else "queued"

    @invariant()
    def promises_hold(self) -> None:
        if hasattr(self, "connection"):
            assert broken_invariants(self.connection) == []

    @invariant()
    def the_database_is_as_the_model(self) -> None:
        for job in getattr(self, "jobs", ()):
            row = job_row(self.connection, job.id)
            assert (row["status"], row["attempt"], row["crashes"]) == (job.status, job.attempt, job.crashes)
            assert text_of(self.connection, job.id) == job.text


TestJobs = JobsMachine.TestCase
TestJobs.settings = hypothesis_settings(
    max_examples=effort(60, 1500), stateful_step_count=40, derandomize=True, deadline=None
)

"""Rows of the durable queue: jobs, their event logs, idempotency keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import DDL, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import utcnow
from app.db.base import Base, WithId, some
from app.db.types import Flag, Json, RowNumber, UtcDateTime

# A provider, or a provider and the name of a model. SQLite, where it was shorter once, knows no lengths.
QUEUE_NAME = String(32).with_variant(String(300), "postgresql")

QUEUED = "status = 'queued'"
RUNNING = "status = 'running'"
READY = "status = 'queued' AND blocked = 0"


class Job(WithId, Base):
    """One piece of durable work. Only `jobs/lease.py` writes the lease columns and the status after creation."""

    __tablename__ = "jobs"

    kind: Mapped[str] = mapped_column(String(32))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversations.id", ondelete="SET NULL"))
    message_id: Mapped[str | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"))
    payload: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)

    queue: Mapped[str] = mapped_column(QUEUE_NAME)  # the model server or model whose slots it takes
    priority: Mapped[int] = mapped_column(Integer, default=0)  # 0 before 1
    sequence_key: Mapped[str | None] = mapped_column(String(36))  # jobs that share it run one after the other
    blocked: Mapped[bool] = mapped_column(Flag, default=False)  # an earlier one of the sequence has not ended
    run_after: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    status: Mapped[str] = mapped_column(String(16), default="queued")
    attempt: Mapped[int] = mapped_column(Integer, default=0)  # claims so far; the fencing token
    failures: Mapped[int] = mapped_column(Integer, default=0)  # in a row, without progress
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    crashes: Mapped[int] = mapped_column(Integer, default=0)  # rescued, not released
    lease_owner: Mapped[str | None] = mapped_column(String(64))
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)  # for people; rescuers watch `beat`
    beat: Mapped[int] = mapped_column(Integer, default=0)
    last_event_id: Mapped[int] = mapped_column(Integer, default=0)
    cancel_requested_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    phase: Mapped[str | None] = mapped_column(String(16))  # of a run: where it stands, if that is known
    phase_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # since when
    spent: Mapped[dict[str, Any] | None] = mapped_column(Json)  # by attempts that have ended: registry.Spent
    progress: Mapped[dict[str, Any] | None] = mapped_column(Json)
    result: Mapped[dict[str, Any] | None] = mapped_column(Json)
    error: Mapped[dict[str, Any] | None] = mapped_column(Json)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    folded: Mapped[bool] = mapped_column(Flag, default=False)  # the log is gone, its text is in the message

    __table_args__ = (
        some("ix_jobs_ready", "queue", "priority", "user_id", "id", "run_after", where=READY),
        some("ix_jobs_queued", "user_id", "id", where=QUEUED),
        some("ix_jobs_running", "queue", "user_id", where=RUNNING),
        Index("ix_jobs_user_started", "user_id", "started_at"),
        Index("ix_jobs_user", "user_id", "id"),
        some("ix_jobs_sequence", "sequence_key", "id", where=QUEUED),
        some("ix_jobs_unfolded", "finished_at", where="finished_at IS NOT NULL AND folded = 0"),
        Index("ix_jobs_conversation_id", "conversation_id"),
        Index("ix_jobs_message_id", "message_id"),
    )


class JobEvent(Base):
    """One line of a job's log. `id` is only for the tailer: AUTOINCREMENT, never reused."""

    __tablename__ = "job_events"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    seq: Mapped[int] = mapped_column(Integer)
    attempt: Mapped[int] = mapped_column(Integer)
    event: Mapped[str] = mapped_column(String(16))
    data: Mapped[str] = mapped_column(Text)  # JSON, as it goes over the wire

    __table_args__ = (UniqueConstraint("job_id", "seq"), {"sqlite_autoincrement": True})


class IdempotencyKey(Base):
    """The answer that a key was given, made in the transaction that it answers for."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"), Index("ix_idempotency_keys_job", "job_id"))


TERMINAL_IS_FINAL = """
CREATE TRIGGER IF NOT EXISTS jobs_terminal_is_final BEFORE UPDATE OF status ON jobs
WHEN OLD.status IN ('succeeded', 'failed', 'cancelled') AND NEW.status <> OLD.status
BEGIN SELECT RAISE(ABORT, 'a job that has ended stays ended'); END
"""
event.listen(Job.__table__, "after_create", DDL(TERMINAL_IS_FINAL).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]

# What a long queue would have to be counted for each time. Whoever makes a job wait, or no longer wait, adds a line to
# `queue_moves`, by trigger: nobody else waits for that. Who claims, one at a time, counts them into `waiting_users`.
# What waits is the sum of both.
queue_moves = Table(
    "queue_moves",
    Base.metadata,
    Column("user_id", String(36), nullable=False),
    Column("queue", QUEUE_NAME, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("job_id", String(36), nullable=False),
    Column("moved", Integer, nullable=False),  # 1: it waits; -1: no longer
)
waiting_users = Table(
    "waiting_users",
    Base.metadata,
    Column("user_id", String(36), primary_key=True),
    Column("queue", QUEUE_NAME, primary_key=True),
    Column("priority", Integer, primary_key=True),
    Column("jobs", Integer, nullable=False),  # 0 for a while after the last of them
    Column("first_job", String(36), nullable=False),  # with which the user came: among those who never had a turn
    Column("last_started", String(27), nullable=False),  # of any job of the user's; empty: never
    some("ix_waiting_users_turn", "queue", "priority", "last_started", "first_job", where="jobs > 0"),
    some("ix_waiting_users_jobs", "priority", "queue", "jobs", where="jobs > 0"),
)

# How many jobs of a queue have proved to get on at the same time.
queue_slots = Table(
    "queue_slots",
    Base.metadata,
    Column("queue", String(300), primary_key=True),
    Column("slots", Integer, nullable=False),
    Column("proven_at", String(27), nullable=False),  # empty: never
    Column("tried_at", String(27), nullable=False),  # when a job more than that was last started; empty: never
)

_MOVE = "INSERT INTO queue_moves (user_id, queue, priority, job_id, moved) VALUES"
MOVES = (
    f"""
    CREATE TRIGGER IF NOT EXISTS jobs_queued AFTER INSERT ON jobs WHEN NEW.status = 'queued'
    BEGIN {_MOVE} (NEW.user_id, NEW.queue, NEW.priority, NEW.id, 1); END
    """,
    f"""
    CREATE TRIGGER IF NOT EXISTS jobs_moved AFTER UPDATE OF status ON jobs
    WHEN (OLD.status = 'queued') <> (NEW.status = 'queued')
    BEGIN {_MOVE} (NEW.user_id, NEW.queue, NEW.priority, NEW.id, CASE NEW.status WHEN 'queued' THEN 1 ELSE -1 END); END
    """,
    f"""
    CREATE TRIGGER IF NOT EXISTS jobs_gone AFTER DELETE ON jobs WHEN OLD.status = 'queued'
    BEGIN {_MOVE} (OLD.user_id, OLD.queue, OLD.priority, OLD.id, -1); END
    """,
)
for trigger in MOVES:
    event.listen(Job.__table__, "after_create", DDL(trigger).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]

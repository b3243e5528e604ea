"""A person's own changes, numbered. Triggers write them: nobody who changes a row can forget to."""

from datetime import datetime

from sqlalchemy import DDL, BigInteger, ForeignKey, Index, String, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from app.conversations.models import Conversation
from app.db.base import Base, some
from app.db.types import RowNumber, UtcDateTime
from app.jobs.models import Job


class UserEvent(Base):
    """One change. On SQLite its number is `id`, which grows in the order of commits.

    On PostgreSQL, where it does not, the number is that of its transaction.
    """

    __tablename__ = "user_events"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    transaction_id: Mapped[int | None] = mapped_column(BigInteger)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    event: Mapped[str] = mapped_column(String(16))  # conversation or job
    data: Mapped[str] = mapped_column(Text)  # JSON, with values as their tables hold them
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_user_events_user", "user_id", "id"),
        some("ix_user_events_transaction", "transaction_id", where="transaction_id IS NOT NULL"),
        {"sqlite_autoincrement": True},
    )


_ADD = "INSERT INTO user_events (user_id, event, data, created_at) SELECT NEW.user_id,"
_NOW = "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')"
_CONVERSATION = "json_object('id', NEW.id, 'change', {change}, 'updated_at', NEW.updated_at, 'head_id', NEW.head_id)"
_JOB = (
    "json_object('id', NEW.id, 'kind', NEW.kind, 'conversation_id', NEW.conversation_id, 'status', NEW.status,"
    " 'phase', NEW.phase, 'error', json(NEW.error), 'run_after', NEW.run_after,"
    " 'queue', NEW.queue, 'priority', NEW.priority)"
)
_CHANGE = """CASE WHEN OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL THEN 'deleted'
    WHEN OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS NULL THEN 'restored' ELSE 'changed' END"""
TRIGGERS = (
    (
        Conversation,
        f"""
        CREATE TRIGGER IF NOT EXISTS conversation_made AFTER INSERT ON conversations
        BEGIN {_ADD} 'conversation', {_CONVERSATION.format(change="'made'")}, {_NOW}; END
        """,
    ),
    (
        Conversation,
        f"""
        CREATE TRIGGER IF NOT EXISTS conversation_changed AFTER UPDATE ON conversations
        BEGIN {_ADD} 'conversation', {_CONVERSATION.format(change=_CHANGE)}, {_NOW}; END
        """,
    ),
    (
        Job,
        f"""
        CREATE TRIGGER IF NOT EXISTS job_made AFTER INSERT ON jobs
        BEGIN {_ADD} 'job', {_JOB}, {_NOW}; END
        """,
    ),
    (
        Job,
        f"""
        CREATE TRIGGER IF NOT EXISTS job_changed AFTER UPDATE OF status, phase, run_after ON jobs
        WHEN OLD.status <> NEW.status OR OLD.phase IS NOT NEW.phase
          OR (NEW.status = 'queued' AND OLD.run_after <> NEW.run_after)
        BEGIN {_ADD} 'job', {_JOB}, {_NOW}; END
        """,
    ),
)
for model, trigger in TRIGGERS:
    ddl = DDL(trigger.replace("%", "%%")).execute_if(dialect="sqlite")  # type: ignore[no-untyped-call]
    event.listen(model.__table__, "after_create", ddl)

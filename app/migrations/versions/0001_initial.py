"""The first schema."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from app.db.types import Flag, Json, RowNumber, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TERMINAL_IS_FINAL = """
CREATE TRIGGER jobs_terminal_is_final BEFORE UPDATE OF status ON jobs
WHEN OLD.status IN ('succeeded', 'failed', 'cancelled') AND NEW.status <> OLD.status
BEGIN SELECT RAISE(ABORT, 'a job that has ended stays ended'); END
"""

ON_POSTGRES = (
    """
    CREATE FUNCTION refuse_to_reopen_job() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'a job that has ended stays ended'; END $$
    """,
    """
    CREATE TRIGGER jobs_terminal_is_final BEFORE UPDATE OF status ON jobs FOR EACH ROW
    WHEN (OLD.status IN ('succeeded', 'failed', 'cancelled') AND NEW.status <> OLD.status)
    EXECUTE FUNCTION refuse_to_reopen_job()
    """,
    # What Python's casefold() does, but for a few rare letters; lower() alone knows what the database's locale knows.
    """
    CREATE FUNCTION teahouse_casefold(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    $$ SELECT replace(replace(lower($1 COLLATE "und-x-icu"), 'ß', 'ss'), 'ς', 'σ') $$
    """,
)


def _some(condition: str) -> Any:
    """What makes an index one of few rows among many."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


QUEUED, RUNNING = _some("status = 'queued'"), _some("status = 'running'")
READY, UNFOLDED = _some("status = 'queued' AND blocked = 0"), _some("finished_at IS NOT NULL AND folded = 0")


def upgrade() -> None:
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    # Where both are taken the name is complained of: SQLite looks at the last first, PostgreSQL at the first.
    fields = ("email", "username") if on_sqlite else ("username", "email")
    unique = [sa.UniqueConstraint(f"{name}_folded", name=op.f(f"uq_users_{name}_folded")) for name in fields]
    op.create_table(
        "users",
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("username_folded", sa.String(length=256), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_folded", sa.String(length=1024), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("locale", sa.String(length=35), nullable=False),
        sa.Column("default_model", sa.String(length=220), nullable=True),
        sa.Column("disabled_at", UtcDateTime(length=27), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(length=27), nullable=False),
        sa.CheckConstraint("role IN ('admin', 'member')", name=op.f("ck_users_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        *unique,
    )
    op.create_table(
        "api_keys",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("scopes", Json(), nullable=False),
        sa.Column("expires_at", UtcDateTime(length=27), nullable=True),
        sa.Column("last_used_at", UtcDateTime(length=27), nullable=True),
        sa.Column("revoked_at", UtcDateTime(length=27), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(length=27), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
    )
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_keys_user_id"), ["user_id"], unique=False)

    op.create_table(
        "conversations",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("title_origin", sa.String(length=8), nullable=False),
        sa.Column("model", sa.String(length=256), nullable=True),
        sa.Column("system_prompt", sa.Text(), nullable=False),
        sa.Column("options", Json(), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("head_id", sa.String(length=36), nullable=True),
        sa.Column("updated_at", UtcDateTime(length=27), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(length=27), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_conversations_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
    )
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.create_index("ix_conversations_recent", ["user_id", "archived", "updated_at", "id"], unique=False)

    op.create_table(
        "invites",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=True),
        sa.Column("expires_at", UtcDateTime(length=27), nullable=False),
        sa.Column("used_at", UtcDateTime(length=27), nullable=True),
        sa.Column("used_by", sa.String(length=36), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(length=27), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_invites_created_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["used_by"], ["users.id"], name=op.f("fk_invites_used_by"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invites")),
        sa.UniqueConstraint("digest", name=op.f("uq_invites_digest")),
    )
    with op.batch_alter_table("invites", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invites_created_by"), ["created_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_invites_used_by"), ["used_by"], unique=False)

    op.create_table(
        "sessions",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(length=27), nullable=False),
        sa.Column("expires_at", UtcDateTime(length=27), nullable=False),
        sa.Column("revoked_at", UtcDateTime(length=27), nullable=True),
        sa.Column("user_agent", sa.String(length=256), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(length=27), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_sessions_user_id"), ["user_id"], unique=False)

    op.create_table(
        "messages",
        sa.Column("conversation_id", sa.String(length=36), nullable=False),
        sa.Column("parent_id", sa.String(length=36), nullable=True),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("thinking", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("finish_reason", sa.String(length=16), nullable=True),
        sa.Column("model", sa.String(length=256), nullable=True),
        sa.Column("usage", Json(), nullable=True),
        sa.Column("error", Json(), nullable=True),
        sa.Column("superseded", Json(), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_messages_conversation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.create_index("ix_messages_tree", ["conversation_id", "parent_id", "id"], unique=False)

    op.create_table(
        "refresh_tokens",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(length=27), nullable=False),
        sa.Column("used_at", UtcDateTime(length=27), nullable=True),
        sa.Column("successor_digest", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_refresh_tokens_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_refresh_tokens")),
    )
    with op.batch_alter_table("refresh_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refresh_tokens_session_id"), ["session_id"], unique=False)

    op.create_table(
        "jobs",
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("conversation_id", sa.String(length=36), nullable=True),
        sa.Column("message_id", sa.String(length=36), nullable=True),
        sa.Column("payload", Json(), nullable=False),
        sa.Column("queue", sa.String(length=32), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("sequence_key", sa.String(length=36), nullable=True),
        sa.Column("blocked", Flag(), nullable=False),
        sa.Column("run_after", UtcDateTime(length=27), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", UtcDateTime(length=27), nullable=True),
        sa.Column("crashes", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("leased_until", UtcDateTime(length=27), nullable=True),
        sa.Column("beat", sa.Integer(), nullable=False),
        sa.Column("last_event_id", sa.Integer(), nullable=False),
        sa.Column("cancel_requested_at", UtcDateTime(length=27), nullable=True),
        sa.Column("progress", Json(), nullable=True),
        sa.Column("result", Json(), nullable=True),
        sa.Column("error", Json(), nullable=True),
        sa.Column("started_at", UtcDateTime(length=27), nullable=True),
        sa.Column("finished_at", UtcDateTime(length=27), nullable=True),
        sa.Column("folded", Flag(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_jobs_conversation_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_jobs_message_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_jobs_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index("ix_jobs_conversation_id", ["conversation_id"], unique=False)
        batch_op.create_index("ix_jobs_message_id", ["message_id"], unique=False)
        batch_op.create_index("ix_jobs_queued", ["user_id", "id"], unique=False, **QUEUED)
        batch_op.create_index(
            "ix_jobs_ready", ["queue", "priority", "user_id", "id", "run_after"], unique=False, **READY
        )
        batch_op.create_index("ix_jobs_running", ["queue", "user_id"], unique=False, **RUNNING)
        batch_op.create_index("ix_jobs_sequence", ["sequence_key", "id"], unique=False, **QUEUED)
        batch_op.create_index("ix_jobs_unfolded", ["finished_at"], unique=False, **UNFOLDED)
        batch_op.create_index("ix_jobs_user", ["user_id", "id"], unique=False)
        batch_op.create_index("ix_jobs_user_started", ["user_id", "started_at"], unique=False)

    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(length=27), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_idempotency_keys_job_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_idempotency_keys_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("pk_idempotency_keys")),
    )
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.create_index("ix_idempotency_keys_created_at", ["created_at"], unique=False)
        batch_op.create_index("ix_idempotency_keys_job", ["job_id"], unique=False)

    op.create_table(
        "job_events",
        sa.Column("id", RowNumber, autoincrement=True, nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_events_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_events")),
        sa.UniqueConstraint("job_id", "seq", name=op.f("uq_job_events_job_id_seq")),
        sqlite_autoincrement=True,
    )
    if on_sqlite:
        op.execute(TERMINAL_IS_FINAL)
    else:
        for statement in ON_POSTGRES:
            op.execute(statement)


def downgrade() -> None:
    on_postgres = op.get_bind().dialect.name == "postgresql"
    op.drop_table("job_events")
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.drop_index("ix_idempotency_keys_job")
        batch_op.drop_index("ix_idempotency_keys_created_at")

    op.drop_table("idempotency_keys")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_index("ix_jobs_user_started")
        batch_op.drop_index("ix_jobs_user")
        batch_op.drop_index("ix_jobs_unfolded", sqlite_where=sa.text("finished_at IS NOT NULL AND folded = 0"))
        batch_op.drop_index("ix_jobs_sequence", sqlite_where=sa.text("status = 'queued'"))
        batch_op.drop_index("ix_jobs_running", sqlite_where=sa.text("status = 'running'"))
        batch_op.drop_index("ix_jobs_ready", sqlite_where=sa.text("status = 'queued' AND blocked = 0"))
        batch_op.drop_index("ix_jobs_queued", sqlite_where=sa.text("status = 'queued'"))
        batch_op.drop_index("ix_jobs_message_id")
        batch_op.drop_index("ix_jobs_conversation_id")

    op.drop_table("jobs")
    with op.batch_alter_table("refresh_tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_refresh_tokens_session_id"))

    op.drop_table("refresh_tokens")
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_index("ix_messages_tree")

    op.drop_table("messages")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sessions_user_id"))
        batch_op.drop_index(batch_op.f("ix_sessions_expires_at"))

    op.drop_table("sessions")
    with op.batch_alter_table("invites", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invites_used_by"))
        batch_op.drop_index(batch_op.f("ix_invites_created_by"))

    op.drop_table("invites")
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.drop_index("ix_conversations_recent")

    op.drop_table("conversations")
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_keys_user_id"))

    op.drop_table("api_keys")
    op.drop_table("users")
    if on_postgres:
        op.execute("DROP FUNCTION refuse_to_reopen_job()")
        op.execute("DROP FUNCTION teahouse_casefold(text)")

"""A person's own changes, numbered, written by triggers."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ADD = "INSERT INTO user_events (user_id, event, data, created_at)"
_NOW = "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')"
_CONVERSATION = "'id', NEW.id, 'change', {change}, 'updated_at', NEW.updated_at, 'head_id', NEW.head_id"
_JOB = """'id', NEW.id, 'kind', NEW.kind, 'conversation_id', NEW.conversation_id, 'status', NEW.status,
    'phase', NEW.phase, 'error', {error}, 'run_after', NEW.run_after,
    'queue', NEW.queue, 'priority', NEW.priority"""
_CHANGE = """CASE WHEN OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL THEN 'deleted'
    WHEN OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS NULL THEN 'restored' ELSE 'changed' END"""
_JOB_CHANGED = """OLD.status <> NEW.status OR OLD.phase IS {differs} NEW.phase
    OR (NEW.status = 'queued' AND OLD.run_after <> NEW.run_after)"""


def _sqlite(name: str, when: str, event: str, values: str, *, only: str = "") -> str:
    condition = f"WHEN {only}" if only else ""
    added = f"{_ADD} SELECT NEW.user_id, '{event}', json_object({values}), {_NOW};"
    return f"CREATE TRIGGER {name} AFTER {when} {condition} BEGIN {added} END"


_SQLITE = (
    _sqlite("conversation_made", "INSERT ON conversations", "conversation", _CONVERSATION.format(change="'made'")),
    _sqlite("conversation_changed", "UPDATE ON conversations", "conversation", _CONVERSATION.format(change=_CHANGE)),
    _sqlite("job_made", "INSERT ON jobs", "job", _JOB.format(error="json(NEW.error)")),
    _sqlite(
        "job_changed",
        "UPDATE OF status, phase, run_after ON jobs",
        "job",
        _JOB.format(error="json(NEW.error)"),
        only=_JOB_CHANGED.format(differs="NOT"),
    ),
)


def _function(name: str, event: str, values: str) -> str:
    return rf"""
    CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO user_events (transaction_id, user_id, event, data, created_at)
      VALUES (CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT), NEW.user_id, '{event}',
        CAST(json_build_object({values}) AS TEXT),
        to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\:MI\:SS.US"Z"'));
      RETURN NULL;
    END $$
    """  # noqa: S608


_POSTGRES_JOB = _JOB.format(error="CAST(NEW.error AS JSON)")
_POSTGRES = (
    _function("tell_of_new_conversation", "conversation", _CONVERSATION.format(change="'made'")),
    _function("tell_of_conversation", "conversation", _CONVERSATION.format(change=_CHANGE)),
    _function("tell_of_job", "job", _POSTGRES_JOB),
    "CREATE TRIGGER conversation_made AFTER INSERT ON conversations FOR EACH ROW"
    " EXECUTE FUNCTION tell_of_new_conversation()",
    "CREATE TRIGGER conversation_changed AFTER UPDATE ON conversations FOR EACH ROW"
    " EXECUTE FUNCTION tell_of_conversation()",
    "CREATE TRIGGER job_made AFTER INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION tell_of_job()",
    "CREATE TRIGGER job_changed AFTER UPDATE OF status, phase, run_after ON jobs FOR EACH ROW"
    f" WHEN ({_JOB_CHANGED.format(differs='DISTINCT FROM')}) EXECUTE FUNCTION tell_of_job()",
)
_TABLES = {"conversation_made": "conversations", "conversation_changed": "conversations"} | {
    "job_made": "jobs",
    "job_changed": "jobs",
}


def upgrade() -> None:
    op.create_table(
        "user_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_events_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_events")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_user_events_user", "user_events", ["user_id", "id"])
    where = sa.text("transaction_id IS NOT NULL")
    op.create_index(
        "ix_user_events_transaction", "user_events", ["transaction_id"], sqlite_where=where, postgresql_where=where
    )
    for statement in _POSTGRES if _on_postgres() else _SQLITE:
        op.execute(statement)


def downgrade() -> None:
    for name, table in _TABLES.items():
        op.execute(f"DROP TRIGGER {name}{f' ON {table}' if _on_postgres() else ''}")
    if _on_postgres():
        for function in ("tell_of_new_conversation", "tell_of_conversation", "tell_of_job"):
            op.execute(f"DROP FUNCTION {function}()")
    op.drop_table("user_events")


def _on_postgres() -> bool:
    return op.get_bind().dialect.name == "postgresql"

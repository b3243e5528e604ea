"""Who waits with how many jobs, without counting the jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOVE = "INSERT INTO queue_moves (user_id, queue, priority, job_id, moved) VALUES"
_SQLITE = (
    f"""
    CREATE TRIGGER jobs_queued AFTER INSERT ON jobs WHEN NEW.status = 'queued'
    BEGIN {_MOVE} (NEW.user_id, NEW.queue, NEW.priority, NEW.id, 1); END
    """,
    f"""
    CREATE TRIGGER jobs_moved AFTER UPDATE OF status ON jobs
    WHEN (OLD.status = 'queued') <> (NEW.status = 'queued')
    BEGIN {_MOVE} (NEW.user_id, NEW.queue, NEW.priority, NEW.id, CASE NEW.status WHEN 'queued' THEN 1 ELSE -1 END); END
    """,
    f"""
    CREATE TRIGGER jobs_gone AFTER DELETE ON jobs WHEN OLD.status = 'queued'
    BEGIN {_MOVE} (OLD.user_id, OLD.queue, OLD.priority, OLD.id, -1); END
    """,
)
_POSTGRES = (
    f"""
    CREATE FUNCTION job_queued() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN {_MOVE} (NEW.user_id, NEW.queue, NEW.priority, NEW.id, 1); RETURN NULL; END $$
    """,
    f"""
    CREATE FUNCTION job_not_queued() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN {_MOVE} (OLD.user_id, OLD.queue, OLD.priority, OLD.id, -1); RETURN NULL; END $$
    """,
    "CREATE TRIGGER jobs_queued AFTER INSERT ON jobs FOR EACH ROW WHEN (NEW.status = 'queued')"
    " EXECUTE FUNCTION job_queued()",
    "CREATE TRIGGER jobs_queued_again AFTER UPDATE OF status ON jobs FOR EACH ROW"
    " WHEN (OLD.status <> 'queued' AND NEW.status = 'queued') EXECUTE FUNCTION job_queued()",
    "CREATE TRIGGER jobs_moved AFTER UPDATE OF status ON jobs FOR EACH ROW"
    " WHEN (OLD.status = 'queued' AND NEW.status <> 'queued') EXECUTE FUNCTION job_not_queued()",
    "CREATE TRIGGER jobs_gone AFTER DELETE ON jobs FOR EACH ROW WHEN (OLD.status = 'queued')"
    " EXECUTE FUNCTION job_not_queued()",
)
# After the triggers: on PostgreSQL nobody can change a job between the two.
_COUNT = """
INSERT INTO waiting_users (user_id, queue, priority, jobs, first_job, last_started)
SELECT user_id, {queue}, priority, count(*), min(id),
  coalesce((SELECT max(started_at) FROM jobs s WHERE s.user_id = jobs.user_id), '')
FROM jobs WHERE status = 'queued' GROUP BY user_id, {queue}, priority
"""
INDEXES = (
    ("ix_waiting_users_turn", ["queue", "priority", "last_started", "first_job"], "jobs > 0"),
    ("ix_waiting_users_jobs", ["priority", "jobs"], "queue = '' AND jobs > 0"),
)


def upgrade() -> None:
    op.create_table(
        "queue_moves",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("queue", sa.String(length=32), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False),
    )
    op.create_table(
        "waiting_users",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("queue", sa.String(length=32), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("jobs", sa.Integer(), nullable=False),
        sa.Column("first_job", sa.String(length=36), nullable=False),
        sa.Column("last_started", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "queue", "priority", name=op.f("pk_waiting_users")),
    )
    for name, columns, condition in INDEXES:
        where = sa.text(condition)
        op.create_index(name, "waiting_users", columns, sqlite_where=where, postgresql_where=where)
    for statement in _POSTGRES if _on_postgres() else _SQLITE:
        op.execute(statement)
    op.execute(_COUNT.format(queue="queue"))
    op.execute(_COUNT.format(queue="CAST('' AS TEXT)"))


def downgrade() -> None:
    names = ("jobs_queued", "jobs_moved", "jobs_gone", *(("jobs_queued_again",) if _on_postgres() else ()))
    for name in names:
        op.execute(f"DROP TRIGGER {name}{' ON jobs' if _on_postgres() else ''}")
    if _on_postgres():
        op.execute("DROP FUNCTION job_queued()")
        op.execute("DROP FUNCTION job_not_queued()")
    op.drop_table("waiting_users")
    op.drop_table("queue_moves")


def _on_postgres() -> bool:
    return op.get_bind().dialect.name == "postgresql"

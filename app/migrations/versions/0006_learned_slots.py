"""A queue per model, what each has shown to write at once, and where a running job stands."""

import sqlalchemy as sa
from alembic import op

from app.db.types import Json, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COUNT = """
INSERT INTO waiting_users (user_id, queue, priority, jobs, first_job, last_started)
SELECT user_id, {queue}, priority, count(*), min(id),
  coalesce((SELECT max(started_at) FROM jobs s WHERE s.user_id = jobs.user_id), '')
FROM jobs WHERE status = 'queued' GROUP BY user_id, {queue}, priority
"""
_TABLES = ("jobs", "queue_moves", "waiting_users")


def upgrade() -> None:
    _let_queue_names_be(300)
    op.add_column("jobs", sa.Column("phase", sa.String(16), nullable=True))
    op.add_column("jobs", sa.Column("phase_at", UtcDateTime(length=27), nullable=True))
    op.add_column("jobs", sa.Column("spent", Json(), nullable=True))
    op.create_table(
        "queue_slots",
        sa.Column("queue", sa.String(length=300), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("proven_at", sa.String(length=27), nullable=False),
        sa.Column("tried_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("queue", name=op.f("pk_queue_slots")),
    )


def downgrade() -> None:
    op.drop_table("queue_slots")
    for column in ("spent", "phase_at", "phase"):
        op.drop_column("jobs", column)
    # The queue of a model becomes the queue of its server again, and waiting jobs are counted again.
    op.execute("UPDATE jobs SET queue = 'ollama' WHERE queue LIKE 'ollama/%'")
    op.execute("DELETE FROM queue_moves")
    op.execute("DELETE FROM waiting_users")
    for queue in ("queue", "CAST('' AS TEXT)"):
        op.execute(_COUNT.format(queue=queue))
    _let_queue_names_be(32)


def _let_queue_names_be(length: int) -> None:
    if op.get_bind().dialect.name == "postgresql":  # SQLite knows no lengths
        for table in _TABLES:
            op.alter_column(table, "queue", type_=sa.String(length))

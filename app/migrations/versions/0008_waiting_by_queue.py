"""Count waiting users by queue only: delete the sums over all queues, and let the index hold every queue."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INDEX = "ix_waiting_users_jobs"
SUMS = """
INSERT INTO waiting_users (user_id, queue, priority, jobs, first_job, last_started)
SELECT user_id, '', priority, sum(jobs), min(first_job), max(last_started) FROM waiting_users GROUP BY user_id, priority
"""


def upgrade() -> None:
    op.execute("DELETE FROM waiting_users WHERE queue = ''")
    op.drop_index(INDEX, "waiting_users")
    _index("priority", "queue", "jobs", where="jobs > 0")


def downgrade() -> None:
    op.drop_index(INDEX, "waiting_users")
    _index("priority", "jobs", where="queue = '' AND jobs > 0")
    op.execute(SUMS)


def _index(*columns: str, where: str) -> None:
    op.create_index(INDEX, "waiting_users", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))

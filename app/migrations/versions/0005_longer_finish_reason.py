"""Room for a model server's own word for why an answer ended."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # SQLite knows no lengths
        op.alter_column("messages", "finish_reason", type_=sa.String(64))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("UPDATE messages SET finish_reason = left(finish_reason, 16)")
        op.alter_column("messages", "finish_reason", type_=sa.String(16))

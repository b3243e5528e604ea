"""For whom an invitation is."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("invites", sa.Column("label", sa.String(length=100), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("invites", "label")

"""Which sign-in an API key was made by: it ends with one that is distrusted."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("session_id", sa.String(length=36), nullable=True))


def downgrade() -> None:
    op.drop_column("api_keys", "session_id")

"""What administrators set, and when a conversation was deleted."""

import sqlalchemy as sa
from alembic import op

from app.db.types import Json, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PARTIAL = (
    ("ix_conversations_pinned", ["user_id", "updated_at", "id"], "pinned"),
    ("ix_conversations_deleted", ["deleted_at"], "deleted_at IS NOT NULL"),
)


def upgrade() -> None:
    op.create_table(
        "server_settings",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", Json(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_server_settings")),
    )
    op.add_column("conversations", sa.Column("deleted_at", UtcDateTime(length=27), nullable=True))
    # Few rows of many: their lists must not cost a walk over all the others.
    for name, columns, condition in PARTIAL:
        where = sa.text(condition)
        op.create_index(name, "conversations", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, _, _ in PARTIAL:
        op.drop_index(name, "conversations")
    op.drop_column("conversations", "deleted_at")
    op.drop_table("server_settings")

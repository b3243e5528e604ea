"""When a sign-in last gave its password; and from where API keys are used."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("confirmed_at", sa.String(length=27), nullable=True))
    op.create_table(
        "api_key_uses",
        sa.Column("key_id", sa.String(length=36), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=256), nullable=False),
        sa.Column("last_used_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_api_key_uses_key_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key_id", "address", name=op.f("pk_api_key_uses")),
    )


def downgrade() -> None:
    op.drop_table("api_key_uses")
    op.drop_column("sessions", "confirmed_at")

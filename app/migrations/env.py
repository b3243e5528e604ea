"""Alembic's environment: runs on the connection, and inside the transaction, that app.migrations has opened."""

from alembic import context

from app.all_models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=False,  # the transaction is the caller's
    compare_type=True,
)
context.run_migrations()

"""A second revision beside the real first one, for tests of what happens on the way from one to the next."""

import shutil
from pathlib import Path
from typing import Any

from app import migrations
from app.db import sqlite

REVISION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "{number}", "{previous}"

def upgrade():
    {body}

def downgrade():
    pass
"""
# SQLite cannot change a column in place: Alembic makes the table anew and drops the old one, which, with foreign
# keys on, would take every conversation along.
MAKE_USERS_ANEW = """
    with op.batch_alter_table("users", recreate="always") as batch:
        batch.add_column(sa.Column("shoe_size", sa.Integer(), nullable=True))
"""


def add_revision(folder: Path, body: str = MAKE_USERS_ANEW) -> str:
    """Copy our revisions to `folder` with one more; its number. `use` makes it count."""
    real = Path(migrations.__file__).parent
    shutil.copytree(real, folder, ignore=shutil.ignore_patterns("__pycache__"))
    previous = migrations.newest_revision()
    number = f"{int(previous) + 1:04}"
    text = REVISION.format(number=number, previous=previous, body=body.strip())
    (folder / "versions" / f"{number}_test.py").write_text(text)
    return number


def use(folder: Path, set_attribute: Any = setattr) -> None:
    """Migrate by the revisions in `folder` from now on."""
    ours = migrations.alembic_config

    def config(connection: Any) -> Any:
        made = ours(connection)
        made.set_main_option("script_location", str(folder))
        return made

    set_attribute(migrations, "VERSIONS", folder / "versions")
    set_attribute(migrations, "alembic_config", config)


def fill(database: Path) -> None:
    """A user with two conversations."""
    connection = sqlite.connect(str(database), write=True)
    now = "2026-01-01T00:00:00.000000Z"
    connection.execute(
        "INSERT INTO users (id, username, username_folded, email, email_folded, password_hash, role, locale,"
        " created_at) VALUES ('u1', 'Alice', 'alice', 'a@example.org', 'a@example.org', '!', 'admin', 'en', ?)",
        (now,),
    )
    for number in (1, 2):
        connection.execute(
            "INSERT INTO conversations (id, user_id, title, title_origin, system_prompt, options, pinned, archived,"
            " created_at, updated_at) VALUES (?, 'u1', 'Tea', 'text', '', '{}', 0, 0, ?, ?)",
            (f"c{number}", now, now),
        )
    connection.close()


def contents(database: Path) -> dict[str, list[Any]]:
    """Every row of every table, and the schema."""
    connection = sqlite.connect(str(database), write=False)
    try:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {table: connection.execute(f'SELECT * FROM "{table}"').fetchall() for table in tables}
        # Alembic's batches write a table's constraints in any order.
        made = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
        rows["schema"] = [sorted(line.strip("\t, ") for line in sql.splitlines()) for (sql,) in made]
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        connection.close()
    return rows

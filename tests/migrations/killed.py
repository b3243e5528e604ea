"""`python -m tests.migrations.killed FOLDER`: dies at each statement of a migration in turn, and migrates again.

A process of its own, because it forks: the children share what has been imported and nothing else.
"""

import os
import shutil
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

from alembic import command as command

from app import all_models as all_models
from app import migrations
from app.db import sqlite
from tests.effort import effort
from tests.migrations.revisions import add_revision, contents, fill, use

# Every third statement at each change, every one before a release.
STEP = effort(3, 1)
# A kill takes nothing from the system's own memory, so the disk need not be waited for: only a power cut would tell.
connect = sqlite.connect = partial(sqlite.connect, synchronous="OFF")


def _die_at(number: int) -> None:
    """Have this process killed as it begins its `number`th statement inside a migration's transaction."""
    seen = -1

    def count(statement: str) -> None:
        nonlocal seen
        if statement.startswith("BEGIN IMMEDIATE") or seen >= 0:
            seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def traced(*arguments: Any, **options: Any) -> Any:
        connection = connect(*arguments, **options)
        connection.set_trace_callback(count)
        return connection

    sqlite.connect = traced


def _in_child(database: Path, die_at: int | None) -> int:
    """Migrate in a child; the signal that ended it, or 0."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            if die_at is not None:
                _die_at(die_at)
            migrations.upgrade(database)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status)
    assert os.WEXITSTATUS(status) == 0, "the migration failed"
    return 0


def exercise(folder: Path, source: Path | None) -> int:
    """Kill at one statement after the other until there are no more; how many there were."""
    wanted: dict[str, list[Any]] | None = None
    for number in range(0, 10_000, STEP):
        database = folder / str(number) / "teahouse.db"
        database.parent.mkdir(parents=True)
        if source is not None:
            shutil.copy(source, database)
        if _in_child(database, number) == 0:
            return number
        if source is not None:
            assert contents(database) == contents(source), f"half migrated after statement {number}"
            (snapshot,) = (database.parent / "backups").glob("before-*.db")
            assert contents(snapshot)["users"] == contents(source)["users"]
        assert _in_child(database, None) == 0
        assert migrations.is_current(database)
        now = contents(database)
        different = wanted and {name for name in now | wanted if now.get(name) != wanted.get(name)}
        assert not different, f"after statement {number} it became different: {different}"
        wanted = now
        shutil.rmtree(database.parent)
    raise AssertionError("a migration without an end")


def main() -> None:
    folder = Path(sys.argv[1])
    first = exercise(folder / "first", None)
    old = folder / "old.db"
    migrations.upgrade(old)
    fill(old)
    add_revision(folder / "revisions")
    use(folder / "revisions")
    second = exercise(folder / "second", old)
    sys.stdout.write(f"{first} {second}\n")


if __name__ == "__main__":
    main()

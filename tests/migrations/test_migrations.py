"""Migrations go up, down and up; lose nothing; survive a kill anywhere; and are done once."""

import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory

from app import migrations
from app.cli.db import drift
from tests.cli.running import Serving, environment
from tests.migrations.revisions import MAKE_USERS_ANEW, add_revision, contents, fill, use

ROOT = Path(__file__).parents[2]


def snapshots(database: Path) -> list[Path]:
    return sorted((database.parent / "backups").glob("before-*.db"))


def move(database: Path, direction: Any, revision: str) -> None:
    with migrations.sync_engine(database).connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        direction(migrations.alembic_config(connection), revision)
        connection.exec_driver_sql("COMMIT")


def test_up_down_and_up_again_is_the_same_schema(tmp_path: Path) -> None:
    database = tmp_path / "teahouse.db"
    assert migrations.upgrade(database)
    before = contents(database)
    assert len(before["schema"]) > 20
    move(database, command.downgrade, "base")
    assert set(contents(database)) <= {"alembic_version", "sqlite_sequence", "schema"}
    move(database, command.upgrade, "head")
    assert contents(database) == before


def test_the_models_and_the_migrations_agree(empty_database: Path) -> None:
    assert drift(empty_database) == []


def test_revisions_are_one_line_in_the_order_of_their_files() -> None:
    script = ScriptDirectory.from_config(migrations.alembic_config(None))
    revisions = [revision.revision for revision in script.walk_revisions()][::-1]
    assert revisions == sorted(path.name.split("_")[0] for path in migrations.VERSIONS.glob("[0-9]*.py"))
    assert script.get_heads() == [migrations.newest_revision()]


def test_a_new_database_needs_no_snapshot_and_no_second_migration(tmp_path: Path) -> None:
    database = tmp_path / "new" / "teahouse.db"
    assert migrations.upgrade(database)
    assert not migrations.upgrade(database)
    assert snapshots(database) == []


def test_a_table_made_anew_takes_nothing_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "teahouse.db"
    migrations.upgrade(database)
    fill(database)
    before = contents(database)
    number = add_revision(tmp_path / "revisions", MAKE_USERS_ANEW)
    use(tmp_path / "revisions", monkeypatch.setattr)
    assert migrations.upgrade(database)
    after = contents(database)
    assert after["conversations"] == before["conversations"]
    assert [row[:5] for row in after["users"]] == [row[:5] for row in before["users"]]
    assert after["alembic_version"] == [(number,)]
    (snapshot,) = snapshots(database)
    assert contents(snapshot) == before


@pytest.mark.parametrize(
    "body",
    [
        "op.execute(\"DELETE FROM conversations WHERE id = 'c1'\")",
        "op.execute(\"UPDATE conversations SET user_id = 'nobody'\")",
    ],
)
def test_a_migration_that_loses_something_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    database = tmp_path / "teahouse.db"
    migrations.upgrade(database)
    fill(database)
    before = contents(database)
    add_revision(tmp_path / "revisions", body)
    use(tmp_path / "revisions", monkeypatch.setattr)
    with pytest.raises(migrations.MigrationError, match="nothing was changed"):
        migrations.upgrade(database)
    assert contents(database) == before


def test_a_migration_that_breaks_in_the_middle_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "teahouse.db"
    migrations.upgrade(database)
    fill(database)
    before = contents(database)
    add_revision(tmp_path / "revisions", f"{MAKE_USERS_ANEW}\n    raise RuntimeError('in the middle')")
    use(tmp_path / "revisions", monkeypatch.setattr)
    with pytest.raises(RuntimeError, match="in the middle"):
        migrations.upgrade(database)
    assert contents(database) == before


def test_a_database_from_the_future_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "teahouse.db"
    number = add_revision(tmp_path / "revisions")
    with monkeypatch.context() as future:
        use(tmp_path / "revisions", future.setattr)
        migrations.upgrade(database)
    before = contents(database)
    with pytest.raises(migrations.MigrationError, match=f"at {number}, newer than this program"):
        migrations.upgrade(database)
    assert contents(database) == before


def test_old_snapshots_go(tmp_path: Path) -> None:
    database = tmp_path / "teahouse.db"
    migrations.upgrade(database)
    made = [migrations.snapshot(database, "before-0001") for _ in range(migrations.SNAPSHOTS_KEPT + 2)]
    assert snapshots(database) == made[2:]


@pytest.mark.campaign
def test_killed_at_any_statement_it_is_as_before_and_migrates_again(tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "tests.migrations.killed", str(tmp_path)]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    first, second = (int(number) for number in done.stdout.split())
    assert first > 30
    assert second > 8


def test_of_several_processes_one_migrates(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from app import migrations; print(migrations.upgrade(Path(sys.argv[1])))"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / "teahouse.db")]
    processes = [subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = sorted(process.communicate(timeout=60)[0].strip() for process in processes)
    assert said == ["False", "False", "False", "True"]


def test_servers_that_start_together_on_nothing_all_serve(tmp_path: Path) -> None:
    env = environment(tmp_path / "data")
    servers: list[Serving] = []
    threads = [threading.Thread(target=lambda: servers.append(Serving(env, tmp_path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(servers) == 2
    for server in servers:
        assert urllib.request.urlopen(f"{server.url}/readyz").status == 200
        assert server.terminate()[0] == 0
    assert snapshots(tmp_path / "data" / "teahouse.db") == []

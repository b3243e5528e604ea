"""`teahouse db copy`: there and back again, and nothing is lost, doubled or changed."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.db import sqlite
from app.db.postgres import PlainConnection
from app.jobs.liveness import ProcessLock
from app.migrations import copying
from app.migrations.copying import NOT_COPIED
from app.settings import Settings
from tests.cli.running import environment, teahouse
from tests.factories.people import add_person
from tests.generations.asking import new_talk
from tests.jobs.rows import add_job, job_row, transaction
from tests.migrations.revisions import contents
from tests.model_server import ModelServer
from tests.process import running

if TYPE_CHECKING:
    from tests.postgres import Server


@pytest.fixture
async def filled(data_dir: Path) -> Path:
    """A SQLite file with people, conversations, messages in all languages, and a job that waits."""
    path = data_dir / "teahouse.db"
    async with (
        ModelServer() as model,
        running(Settings(data_dir=data_dir, ollama_url=model.url, embedded_model="off")) as web,
    ):
        for name in ("alice", "bob"):
            talk = await new_talk(web, await add_person(web.database, name))
            for number in range(5):
                await talk.ask(f"question {number} 茶 🍵 [[text=unicode think=3]]", model="ollama/thinker:latest")
        user_id = talk.principal.user_id
    connection = sqlite.connect(str(path), write=True)
    with transaction(connection):
        add_job(connection, user_id, payload={"model": "ollama/scripted:latest"})
        connection.execute("UPDATE conversations SET pinned = 1, title = 'a' || char(9, 10, 13) || '\\N'")
    connection.close()
    return path


def copy(source: str, target: str, cwd: Path) -> Any:
    return teahouse("db", "copy", source, target, env=environment(cwd / "elsewhere"), cwd=cwd)


def test_there_and_back_everything_is_what_it_was(filled: Path, postgres: "Server", tmp_path: Path) -> None:
    there, back = postgres.new_database(), tmp_path / "back" / "teahouse.db"
    for source, target in ((f"sqlite:///{filled}", there), (there, f"sqlite:///{back}")):
        ran = copy(source, target, tmp_path)
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.splitlines()[-1] == "Every row has arrived as it left."
    before, after = contents(filled), contents(back)
    for each in (before, after):
        for table in ("sqlite_sequence", *NOT_COPIED):
            del each[table]
    assert {t: sorted(map(repr, rows)) for t, rows in before.items()} == {
        t: sorted(map(repr, rows)) for t, rows in after.items()
    }
    assert len(before["messages"]) == 20
    connection = PlainConnection(there)
    (last,) = connection.execute("SELECT max(id) FROM job_events").fetchone()
    (user_id,) = connection.execute("SELECT id FROM users LIMIT 1").fetchone()
    job_id = add_job(connection, user_id)  # the rows go on being numbered where they stood
    assert job_row(connection, job_id)["status"] == "queued"
    assert connection.execute("SELECT min(id) FROM job_events WHERE job_id = ?", (job_id,)).fetchone() == (last + 1,)
    connection.close()
    again = copy(f"sqlite:///{filled}", there, tmp_path)
    assert (again.returncode, again.stdout) == (1, "") and "not empty" in again.stderr


def test_what_arrives_changed_is_refused_and_leaves_nothing(
    filled: Path, postgres: "Server", monkeypatch: pytest.MonkeyPatch
) -> None:
    there = postgres.new_database()
    insert = copying._Postgres.insert

    def careless(self: Any, table: Any, rows: Any) -> None:
        insert(self, table, rows)
        if table.name == "messages":
            self._connection.execute("UPDATE messages SET content = content || ' '")

    monkeypatch.setattr(copying._Postgres, "insert", careless)
    with pytest.raises(copying.CopyError, match="messages"):
        copying.copy(filled, there, lambda table, held: None)
    connection = PlainConnection(there)
    assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)
    connection.close()


def test_a_database_that_is_served_is_not_copied(filled: Path, postgres: "Server", tmp_path: Path) -> None:
    there = postgres.new_database()
    serving = PlainConnection(there, name="process-1-test")
    ran = copy(there, f"sqlite:///{tmp_path}/new.db", tmp_path)
    serving.close()
    assert ran.returncode == 77 and "Stop it first" in ran.stderr
    lock = ProcessLock(filled.parent / "run", "process-1-test")
    ran = copy(f"sqlite:///{filled}", there, tmp_path)
    lock.close()
    assert ran.returncode == 77 and "Stop it first" in ran.stderr

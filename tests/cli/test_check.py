"""`teahouse check`: what fits together passes, and each thing that does not is found."""

import asyncio
import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli import check
from app.cli.consistency import _ROWS
from app.cli.main import app
from app.settings import Settings
from tests.api.serving import serving
from tests.databases import plain_connection
from tests.ports import free_port
from tests.stack.visitor import Visitor, sign_up, visitors

pytestmark = pytest.mark.both_databases


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(settings: Settings, *arguments: str) -> Result:
    env = {"TEAHOUSE_DATA_DIR": str(settings.data_dir), "TEAHOUSE_DATABASE_URL": settings.database_url}
    return CliRunner().invoke(app, ["check", *arguments], env=env)


def change(settings: Settings, *statements: str) -> None:
    """Past all keys and, on PostgreSQL, triggers: there they are dropped with their table's name only."""
    without_keys = "SET session_replication_role = replica" if settings.on_postgres else "PRAGMA foreign_keys=OFF"
    with closing(plain_connection(settings)) as connection:
        for statement in (without_keys, *statements):
            if not (settings.on_postgres and statement.startswith("DROP TRIGGER")):
                connection.execute(statement)


async def _talk(alice: Visitor) -> None:
    """Two conversations: one with a branch and a long turn, one that was stopped; another is deleted."""
    begun = [await alice.begin(f"Of tea {n} [[tokens=3]]") for n in range(3)]
    for each in begun:
        assert each is not None
        await alice.watch(each[0])
    conversation, other, gone = [each["id"] for each in (await alice.ask("GET", "/conversations"))["items"]]
    again = await alice.ask("POST", f"/messages/{begun[0][1]}/regenerate", json={})  # type: ignore[index]
    await alice.watch(again["job"]["id"])
    more = {"content": "And more? [[tokens=200 rate=20]]"}
    stopped = await alice.ask("POST", f"/conversations/{other}/messages", json=more)
    await alice.ask("POST", f"/jobs/{stopped['job']['id']}/cancel")
    await alice.watch(stopped["job"]["id"])
    await alice.ask("DELETE", f"/conversations/{gone}")
    assert [problem for problem in alice.failed if "DELETE" not in problem] == [], conversation


@pytest.fixture(scope="session")
def talked(tmp_path_factory: pytest.TempPathFactory, kind_of_database: str) -> Settings:
    """The data of a server that was used, and is checked while it runs."""
    folder = tmp_path_factory.mktemp("talked") / "data"

    async def use(url: str) -> None:
        token = await asyncio.to_thread(sign_up, url, "alice")
        async with visitors(url, [token]) as (alice,):
            await _talk(alice)

    with serving(folder) as served:
        asyncio.run(use(served.url))
        while_it_runs = run(served.settings)
        assert while_it_runs.exit_code == 0, while_it_runs.stdout
    return served.settings


@pytest.fixture
def data(talked: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """A copy."""
    folder = tmp_path / "data"
    folder.mkdir()
    if talked.on_postgres:
        url = request.getfixturevalue("postgres").copy_of(talked.database_url)
        return Settings(data_dir=folder, database_url=url)
    shutil.copy(talked.database_path, folder)
    return Settings(data_dir=folder)


def test_what_was_used_fits_together(data: Settings) -> None:
    result = run(data)
    assert (result.exit_code, result.stdout.endswith("All of it fits together.\n")) == (0, True), result.stdout
    told = json.loads(run(data, "--json").stdout)
    assert told["findings"] == []
    assert told["rows"]["users"] == 1 and told["rows"]["messages"] == 9


ANSWER = "(SELECT id FROM messages WHERE role = 'assistant' LIMIT 1)"
QUESTION = "(SELECT parent_id FROM messages WHERE role = 'assistant' LIMIT 1)"
JOB = "(SELECT id FROM jobs WHERE kind = 'answer' AND message_id IS NOT NULL LIMIT 1)"
BROKEN: dict[str, list[str]] = {
    "lost_parent": [f"UPDATE messages SET parent_id = 'gone' WHERE id = {ANSWER}"],
    "foreign_parent": [
        f"UPDATE messages SET parent_id = (SELECT o.id FROM messages o WHERE o.role = 'user'"
        f" AND o.conversation_id <> messages.conversation_id LIMIT 1) WHERE id = {ANSWER}"
    ],
    "wrong_turn": [f"UPDATE messages SET role = 'user' WHERE id = {ANSWER}"],
    "mixed_siblings": [
        "UPDATE messages SET role = 'user' WHERE id IN (SELECT max(id) FROM messages WHERE role = 'assistant'"
        " GROUP BY parent_id HAVING count(*) > 1)"
    ],
    "lost_head": ["UPDATE conversations SET head_id = 'gone'"],
    "unwritten_answer": [f"UPDATE messages SET status = 'generating' WHERE id = {ANSWER}"],
    "unasked_job": ["DROP TRIGGER jobs_terminal_is_final", f"UPDATE jobs SET status = 'running' WHERE id = {JOB}"],
    "stuck_sequence": [
        "DROP TRIGGER jobs_terminal_is_final",
        f"UPDATE jobs SET status = 'queued', blocked = 1, sequence_key = 'nobody' WHERE id = {JOB}",
    ],
    "queue_count": [
        "INSERT INTO queue_moves (user_id, queue, priority, job_id, moved)"
        f" SELECT user_id, queue, priority, id, 1 FROM jobs WHERE id = {JOB}"
    ],
    "event_count": [f"DELETE FROM job_events WHERE job_id = {JOB} AND seq = 2"],
    "two_ends": [f"UPDATE job_events SET event = 'done' WHERE job_id = {JOB} AND seq = 1"],
    "unfolded_log": [f"UPDATE jobs SET folded = 1 WHERE id = {JOB}"],
    "no_administrator": ["UPDATE users SET role = 'member'"],
    "circle": [f"UPDATE messages SET parent_id = {ANSWER} WHERE id = {QUESTION}"],
    "lost_reference": ["DELETE FROM users"],
    "schema": ["DROP INDEX ix_messages_tree"],
    "database_revision": ["UPDATE alembic_version SET version_num = '0000'"],
}


def found(data: Settings) -> dict[str, Any]:
    result = run(data, "--json")
    assert result.exit_code == 1, result.stdout
    return {finding["code"]: finding for finding in json.loads(result.stdout)["findings"]}


# PostgreSQL keeps none, and is not asked.
HERE_ONLY = {"lost_reference": pytest.mark.sqlite}


@pytest.mark.parametrize("code", [pytest.param(code, marks=HERE_ONLY.get(code, ())) for code in BROKEN])
def test_what_does_not_fit_is_found(data: Settings, code: str) -> None:
    change(data, *BROKEN[code])
    finding = found(data)[code]
    assert finding["level"] == "error" and finding["fix"]
    assert finding["text"] in run(data).stdout


def test_each_query_is_provoked() -> None:
    assert {code for code, _, _, _ in _ROWS} <= BROKEN.keys()


@pytest.mark.sqlite
def test_an_index_that_misses_a_row_is_found(data: Settings) -> None:
    change(
        data,
        "CREATE INDEX half ON messages (status)",
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = 'CREATE INDEX half ON messages (role)' WHERE name = 'half'",
    )
    assert "half" in found(data)["damaged_pages"]["text"]


@pytest.mark.sqlite
def test_a_search_index_that_lost_a_word_is_found(data: Settings) -> None:
    change(
        data,
        "CREATE VIRTUAL TABLE words USING fts5(content)",
        "INSERT INTO words SELECT content FROM messages",
        "DELETE FROM words_data WHERE id > 10",
    )
    assert "words" in found(data)["damaged_pages"]["text"]


@pytest.mark.sqlite
def test_pages_that_cannot_be_read_are_found(data: Settings) -> None:
    path = data.database_path
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 20] = b"\xff" * (4096 * 17)
    path.write_bytes(content)
    assert found(data).keys() & {"unreadable", "damaged_pages"}


def test_no_database_is_said(tmp_path: Path) -> None:
    result = run(Settings(data_dir=tmp_path))
    assert result.exit_code == 1 and "teahouse db upgrade" in result.stderr


def test_a_postgresql_that_is_stopped_is_no_reason_to_restore() -> None:
    settings = Settings(_env_file=None, database_url=f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")
    findings, rows = check.examine(settings)
    assert ([finding.code for finding in findings], rows) == (["database_unreachable"], {})
    assert "pg_restore" not in findings[0].fix

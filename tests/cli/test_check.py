"""`teahouse check`: what fits together passes, and each thing that does not is found."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli.consistency import _ROWS
from app.cli.main import app
from app.db import sqlite
from tests.api.serving import serving
from tests.stack.visitor import Visitor, sign_up, visitors


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(data_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["check", *arguments], env={"TEAHOUSE_DATA_DIR": str(data_dir)})


def change(data_dir: Path, *statements: str) -> None:
    connection = sqlite.connect(str(data_dir / "teahouse.db"), write=True)
    connection.execute("PRAGMA foreign_keys=OFF")
    for statement in statements:
        connection.execute(statement)
    connection.close()


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
def talked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a server that was used, and is checked while it runs."""
    folder = tmp_path_factory.mktemp("talked") / "data"

    async def use(url: str) -> None:
        token = await asyncio.to_thread(sign_up, url, "alice")
        async with visitors(url, [token]) as (alice,):
            await _talk(alice)

    with serving(folder) as served:
        asyncio.run(use(served.url))
        while_it_runs = run(folder)
        assert while_it_runs.exit_code == 0, while_it_runs.stdout
    return folder


@pytest.fixture
def data(talked: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "data"
    copy.mkdir()
    (copy / "teahouse.db").write_bytes((talked / "teahouse.db").read_bytes())
    return copy


def test_what_was_used_fits_together(data: Path) -> None:
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
        f" AND o.conversation_id <> messages.conversation_id) WHERE id = {ANSWER}"
    ],
    "wrong_turn": [f"UPDATE messages SET role = 'user' WHERE id = {ANSWER}"],
    "mixed_siblings": [
        "UPDATE messages SET role = 'user' WHERE id = (SELECT max(id) FROM messages WHERE role = 'assistant'"
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


def found(data: Path) -> dict[str, Any]:
    result = run(data, "--json")
    assert result.exit_code == 1, result.stdout
    return {finding["code"]: finding for finding in json.loads(result.stdout)["findings"]}


@pytest.mark.parametrize("code", BROKEN)
def test_what_does_not_fit_is_found(data: Path, code: str) -> None:
    change(data, *BROKEN[code])
    finding = found(data)[code]
    assert finding["level"] == "error" and finding["fix"]
    assert finding["text"] in run(data).stdout


def test_each_query_is_provoked() -> None:
    assert {code for code, _, _, _ in _ROWS} <= BROKEN.keys()


def test_an_index_that_misses_a_row_is_found(data: Path) -> None:
    change(
        data,
        "CREATE INDEX half ON messages (status)",
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = 'CREATE INDEX half ON messages (role)' WHERE name = 'half'",
    )
    assert "half" in found(data)["damaged_pages"]["text"]


def test_a_search_index_that_lost_a_word_is_found(data: Path) -> None:
    change(
        data,
        "CREATE VIRTUAL TABLE words USING fts5(content)",
        "INSERT INTO words SELECT content FROM messages",
        "DELETE FROM words_data WHERE id > 10",
    )
    assert "words" in found(data)["damaged_pages"]["text"]


def test_pages_that_cannot_be_read_are_found(data: Path) -> None:
    path = data / "teahouse.db"
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 20] = b"\xff" * (4096 * 17)
    path.write_bytes(content)
    assert found(data).keys() & {"unreadable", "damaged_pages"}


def test_no_database_is_said(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.exit_code == 1 and "teahouse db upgrade" in result.stderr

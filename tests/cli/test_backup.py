"""`teahouse backup` and `teahouse restore`: under load, elsewhere, and when something is wrong."""

import asyncio
import hashlib
import io
import os
import tarfile
from pathlib import Path

import aiohttp
import orjson
import pysqlite3
import pytest

from app.cli import archive, pacing
from app.cli.archive import Contents
from app.jobs.liveness import ProcessLock
from tests.cli.running import environment, teahouse
from tests.durability.client import Client
from tests.durability.processes import ServerProcess, model_process, server_process
from tests.model_server import answer_for

PROMPT = "question {} [[tokens=60 rate=30 first=50]]"


def run(data_dir: Path, *arguments: str, code: int = 0) -> str:
    ran = teahouse(*arguments, env=environment(data_dir), cwd=data_dir.parent)
    assert ran.returncode == code, ran
    return ran.stdout + ran.stderr


def digest(data_dir: Path) -> str:
    """Of the schema, and of every row of every table."""
    connection = pysqlite3.connect(str(data_dir / "teahouse.db"))
    try:
        schema = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()
        tables = [name for kind, name, _ in schema if kind == "table"]
        rows = [sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"'))) for name in tables]
        return hashlib.sha256(repr((schema, rows)).encode()).hexdigest()
    finally:
        connection.close()


def the_archive(folder: Path) -> Path:
    (path,) = folder.glob("teahouse-*.tar.gz")
    return path


async def _talk(client: Client, number: int) -> tuple[str, str]:
    content = PROMPT.format(number)
    accepted = await client.send(await client.conversation(), content, f"key-{number}")
    return content, str(accepted["assistant_message"]["id"])


@pytest.mark.timeout(120)
async def test_F44_taken_under_load_it_is_restored_elsewhere_and_running_answers_are_finished(tmp_path: Path) -> None:
    with model_process() as model:
        with server_process(tmp_path / "here" / "data", model.url) as here:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as http:
                client = Client(http, here.url, "alice")
                await client.sign_in()
                before = [await _talk(client, number) for number in range(8)]
                during = asyncio.create_task(_go_on(client))
                said = await asyncio.to_thread(run, here.data_dir, "backup", str(tmp_path / "backups"))
                during.cancel()
                assert "checked" in said
                token = client._headers
        there = tmp_path / "there" / "data"
        there.mkdir(parents=True)
        assert "1 users" in run(there, "restore", str(the_archive(tmp_path / "backups")))
        server = ServerProcess(there, model.url)
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as http:
                async with http.get(f"{server.url}/api/v1/auth/me", headers=token) as answer:
                    assert answer.status == 200, "whoever was signed in still is"
                client = Client(http, server.url, "alice")
                await client.sign_in()  # with the old password
                for content, message_id in before:
                    message = await _ended(client, message_id)
                    assert (message["status"], message["content"]) == ("complete", "".join(answer_for(content)))
        finally:
            server.terminate()


async def _go_on(client: Client) -> None:
    for number in range(100, 200):
        await _talk(client, number)
        await asyncio.sleep(0.01)


async def _ended(client: Client, message_id: str) -> dict[str, str]:
    for _ in range(300):
        message = await client.get(f"/messages/{message_id}")
        if message["status"] != "generating":
            break
        await asyncio.sleep(0.1)
    return dict(message)


def test_nothing_is_different_after_it(data_dir: Path) -> None:
    _fill(data_dir)
    before = digest(data_dir)
    (data_dir / "secret.key").write_bytes(b"s" * 64)
    run(data_dir, "backup")
    connection = pysqlite3.connect(str(data_dir / "teahouse.db"))
    connection.execute("DELETE FROM users")
    connection.commit()
    connection.close()
    (data_dir / "secret.key").write_bytes(b"t" * 64)
    said = run(data_dir, "restore", str(the_archive(data_dir / "backups")))
    assert digest(data_dir) == before
    assert (data_dir / "secret.key").read_bytes() == b"s" * 64
    assert (data_dir / "secret.key.old").read_bytes() == b"t" * 64
    assert "before-restore" in said, "what was there is kept"
    for path in (the_archive(data_dir / "backups"), data_dir / "teahouse.db", data_dir / "secret.key"):
        assert path.stat().st_mode & 0o077 == 0, path


def _fill(data_dir: Path) -> None:
    command = ("admin", "create-user", "alice", "--email", "a@example.org", "--admin")
    password = "a long password\n" * 2
    ran = teahouse(*command, env=environment(data_dir), cwd=data_dir, stdin=password)
    assert ran.returncode == 0, ran


def test_what_was_written_otherwise_than_it_was_checked_is_no_backup(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(data_dir)
    pack = archive._pack

    def other_bytes(path: Path, files: dict[str, Path], contents: Contents) -> None:
        with files["teahouse.db"].open("r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"!")
        pack(path, files, contents)

    monkeypatch.setattr(archive, "_pack", other_bytes)
    with pytest.raises(archive.ArchiveError, match="does not hold"):
        archive.write(data_dir / "teahouse.db", data_dir / "secret.key", data_dir / "backups")
    assert list((data_dir / "backups").iterdir()) == []


def test_the_disk_is_given_a_little_at_a_time(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server's commit waits behind what is written at once: never more than a few steps of it."""
    _fill(data_dir)
    connection = pysqlite3.connect(str(data_dir / "teahouse.db"))
    connection.execute("CREATE TABLE ballast (bytes BLOB)")
    connection.executemany("INSERT INTO ballast VALUES (?)", [(os.urandom(3000),) for _ in range(8000)])
    connection.commit()
    connection.close()
    steps: list[int] = []
    write_out = pacing.write_out

    def noted(descriptor: int, start: int, length: int) -> None:
        steps.append(length)
        assert start + length == os.fstat(descriptor).st_size
        write_out(descriptor, start, length)

    monkeypatch.setattr(pacing, "write_out", noted)
    archive.write(data_dir / "teahouse.db", data_dir / "secret.key", data_dir / "backups")
    assert sum(steps) > 40_000_000  # the copy, and what random bytes are packed to
    assert max(steps) < 3 * pacing.STEP


def test_it_is_not_put_under_a_running_server(data_dir: Path) -> None:
    run(data_dir, "backup")
    (data_dir / "run").mkdir()
    lock = ProcessLock(data_dir / "run", "process-1")
    before = digest(data_dir)
    try:
        assert "Stop it first" in run(data_dir, "restore", str(the_archive(data_dir / "backups")), code=77)
    finally:
        lock.close()
    assert digest(data_dir) == before


def test_what_is_damaged_or_foreign_changes_nothing(data_dir: Path, tmp_path: Path) -> None:
    run(data_dir, "backup")
    good = the_archive(data_dir / "backups")
    before, files = digest(data_dir), sorted(path.name for path in data_dir.iterdir())
    content = good.read_bytes()
    bad = {
        "cut": content[: len(content) // 2],
        "flipped": content[:2000] + bytes([content[2000] ^ 0xFF]) + content[2001:],
        "no archive": b"hello",
        "other rows": _rewritten(good, rows={"users": 5}),
        "newer": _rewritten(good, revision="9999"),
        "outside": _rewritten(good, files={"../evil": "0"}),
    }
    for name, damaged in bad.items():
        path = tmp_path / f"{name}.tar.gz"
        path.write_bytes(damaged)
        said = run(data_dir, "restore", str(path), code=1)
        assert "Traceback" not in said and len(said.splitlines()) <= 3, said
        assert digest(data_dir) == before, name
        assert sorted(path.name for path in data_dir.iterdir()) == files, name


def _rewritten(path: Path, **changes: object) -> bytes:
    """The archive with another list."""
    out = io.BytesIO()
    with tarfile.open(path) as source, tarfile.open(fileobj=out, mode="w:gz") as target:
        for entry in source.getmembers():
            file = source.extractfile(entry)
            assert file is not None
            data = file.read()
            if entry.name == "manifest.json":
                contents = orjson.loads(data)
                for name, value in changes.items():
                    contents[name] = {**contents[name], **value} if isinstance(value, dict) else value
                data = orjson.dumps(contents)
                entry.size = len(data)
            target.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def test_the_newest_stay(data_dir: Path) -> None:
    folder = data_dir / "backups"
    folder.mkdir()
    for day in range(10, 15):
        (folder / f"teahouse-202611{day}T000000Z.tar.gz").touch()
    (folder / "holiday.tar.gz").touch()
    run(data_dir, "backup", "--keep", "2")
    left = sorted(os.listdir(folder))
    assert len(left) == 3 and left[0] == "holiday.tar.gz"
    assert left[1] == "teahouse-20261114T000000Z.tar.gz" or left[1] > "teahouse-20261114T000000Z.tar.gz"


def test_without_a_database_it_says_so(tmp_path: Path) -> None:
    assert "nothing to back up" in run(tmp_path / "data", "backup", code=1)
    assert "is not there" in run(tmp_path / "data", "restore", "nowhere.tar.gz", code=1)

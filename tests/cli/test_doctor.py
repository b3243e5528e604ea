"""`teahouse doctor`: each finding provoked for real."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pysqlite3
import pytest
from aiohttp import web

from app.cli import examinations, examining_data
from app.cli.doctor import examine
from app.settings import Settings
from tests.cli.running import environment, teahouse
from tests.durability.processes import model_process, server_process
from tests.ports import free_port


def settings_of(data_dir: Path, **given: object) -> Settings:
    return Settings(data_dir=data_dir, port=free_port(), embedded_model="off", **given)  # type: ignore[arg-type]


async def codes(settings: Settings) -> dict[str, str]:
    """What is found, by its code: how bad it is."""
    return {finding.code: finding.level for finding in await examine(settings)}


def execute(data_dir: Path, statement: str) -> None:
    connection = pysqlite3.connect(str(data_dir / "teahouse.db"))
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute(statement)
    connection.commit()
    connection.close()


JOB = (
    "INSERT INTO jobs (id, kind, user_id, payload, queue, priority, blocked, run_after, status, attempt, failures,"
    " crashes, beat, last_event_id, folded, created_at) VALUES ('j', 'answer', 'u', '{}', 'ollama', 0, 0, '', 'queued',"
    " 0, 0, 0, 0, 0, 0, '{}')"
)


async def test_a_database_that_is_too_large_for_a_look_is_said_to_be(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(
        data_dir,
        "CREATE TABLE big AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 90000)"
        " SELECT i FROM n",
    )
    monkeypatch.setattr(examining_data, "LOOK_SECONDS", 0.0)
    (finding,) = [each for each in await examine(settings_of(data_dir)) if each.code == "database"]
    assert finding.level == "ok" and "teahouse check" in finding.text


def test_a_healthy_server_has_nothing_wrong(tmp_path: Path) -> None:
    with model_process() as model, server_process(tmp_path / "data", model.url) as server:
        own = environment(
            server.data_dir,
            TEAHOUSE_PORT=str(server.port),
            TEAHOUSE_OLLAMA_URL=model.url,
            TEAHOUSE_PUBLIC_URL=server.url,
        )
        ran = teahouse("doctor", "--json", env=own, cwd=tmp_path)
        found = {each["code"]: each["level"] for each in json.loads(ran.stdout)}
        assert ran.returncode == 0, ran.stdout
        assert (
            found.items()
            >= {"server": "ok", "front": "ok", "forms": "ok", "models": "ok", "database": "ok", "queue": "ok"}.items()
        )
        assert "error" not in found.values()
        model.kill()
        ran = teahouse("doctor", env=own, cwd=tmp_path)
        assert ran.returncode == 1 and "✗ provider" in ran.stdout and "→" in ran.stdout
        model.start()


async def test_what_nobody_else_may_read_is_closed() -> None:
    with tempfile.TemporaryDirectory() as folder:
        secret = Path(folder) / "secret.key"
        secret.touch(0o644)
        assert "readable_secret" not in await codes(settings_of(Path(folder))), "nobody can enter the folder"
        Path(folder).chmod(0o755)
        assert (await codes(settings_of(Path(folder))))["readable_secret"] == "error"
        secret.chmod(0o600)
        assert "readable_secret" not in await codes(settings_of(Path(folder)))


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE alembic_version SET version_num = '0001'", "database_revision"),
        ("UPDATE alembic_version SET version_num = '9999'", "database_revision"),
        ("INSERT INTO refresh_tokens VALUES ('d', 'nobody', '', NULL, NULL)", "database_broken"),
        (JOB.replace("'{}')", "'2026-01-01T00:00:00.000000Z')"), "stuck_jobs"),
        (JOB.replace("'{}')", "'2099-01-01T00:00:00.000000Z')"), "clock"),
    ],
)
async def test_the_database_is_looked_into(data_dir: Path, statement: str, code: str) -> None:
    execute(data_dir, statement)
    assert code in await codes(settings_of(data_dir))


async def test_a_damaged_and_a_missing_database_are_told_apart(data_dir: Path, tmp_path: Path) -> None:
    assert (await codes(settings_of(tmp_path / "nothing")))["no_database"] == "warning"
    (data_dir / "teahouse.db").write_bytes(b"not a database" * 1000)
    assert (await codes(settings_of(data_dir)))["database_broken"] == "error"


async def test_a_database_that_somebody_holds_is_said_to_be_locked(data_dir: Path) -> None:
    connection = pysqlite3.connect(str(data_dir / "teahouse.db"), isolation_level=None)
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    connection.execute("BEGIN EXCLUSIVE")
    try:
        found = list(examining_data.queue(settings_of(data_dir)))
    finally:
        connection.close()
    assert [finding.code for finding in found] == ["database_locked"]


async def test_a_full_disk_is_seen_coming(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = shutil.disk_usage(data_dir).free
    for name, level in (("LITTLE", "warning"), ("NEARLY_NONE", "error")):
        monkeypatch.setattr(examinations, name, free * 2)
        assert (await codes(settings_of(data_dir)))["disk"] == level


async def test_code_that_runs_is_compared_with_code_that_is_there(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = data_dir / "root"
    for name in ("app/x.py", "frontend-islands/src/x.ts", "frontend-islands/dist/index.html", "public/app/index.html"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    os.utime(root / "frontend-islands" / "dist" / "index.html", (0, 0))
    os.utime(root / "app" / "x.py", (4_000_000_000, 4_000_000_000))
    (data_dir / "run").mkdir()
    (data_dir / "run" / f"process-{os.getpid()}-x.lock").touch()
    monkeypatch.setattr(examinations, "ROOT", root)
    found = [finding.code for finding in examinations.code(settings_of(data_dir))]
    assert found == ["stale_code", "stale_build", "stale_public"]


async def test_what_nginx_cannot_enter_or_read_is_named(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examinations, "ROOT", data_dir)
    file = data_dir / "public" / "static" / "app.css"
    file.parent.mkdir(parents=True)
    file.touch()
    (data_dir / "public").chmod(0o700)
    assert [finding.code for finding in examinations.public_files(settings_of(data_dir))] == ["closed_folder"]
    for folder in (data_dir / "public", *(data_dir / "public").parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(0o755)
    file.chmod(0o600)
    (found,) = examinations.public_files(settings_of(data_dir))
    assert (found.code, str(file) in found.text) == ("closed_file", True)
    file.chmod(0o644)
    assert [finding.level for finding in examinations.public_files(settings_of(data_dir))] == ["ok"]


@contextlib.contextmanager
def taken(port: int) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", port)):
        yield


async def serve(handler: object, port: int) -> web.AppRunner:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)  # type: ignore[arg-type]
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


async def test_who_answers_at_the_port_is_told(data_dir: Path) -> None:
    settings = settings_of(data_dir)
    assert (await codes(settings))["not_running"] == "warning"

    async def somebody_else(_: web.Request) -> web.Response:
        return web.Response(text="It works!", status=404)

    runner = await serve(somebody_else, settings.port)
    try:
        assert (await codes(settings))["port_taken"] == "error"
    finally:
        await runner.cleanup()


async def test_what_stands_in_front_is_measured(data_dir: Path) -> None:
    port = free_port()
    settings = settings_of(data_dir, public_url=f"http://127.0.0.1:{port}")
    assert (await codes(settings))["front_down"] == "error"
    says = [502]

    async def proxy(request: web.Request) -> web.StreamResponse:
        if request.path == "/login":
            form = '<input name="csrf_token" value="x">'
            return web.Response(text=form) if request.method == "GET" else web.Response(status=403)
        if not request.path.endswith("/stream"):
            return web.Response(status=says[0])
        await asyncio.sleep(0.5)  # holds back all that there is
        return web.Response(text=": one\n\n: two\n\n: three\n\n")

    runner = await serve(proxy, port)
    try:
        for says[0], code in ((502, "bad_gateway"), (400, "front"), (200, "buffering"), (200, "forms")):
            assert (await codes(settings))[code] == "error"
    finally:
        await runner.cleanup()


async def test_models_are_asked_for(data_dir: Path) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    assert (await codes(settings_of(data_dir, ollama_url=dead)))["provider"] == "error"
    with model_process() as model:
        settings = settings_of(data_dir, ollama_url=model.url, default_model="ollama/nothing")
        assert (await codes(settings))["default_model"] == "warning"


async def test_a_processor_that_is_too_old_is_named(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=data_dir)
    monkeypatch.setattr(examinations, "CPU_NEEDS", frozenset({"avx9"}))
    found = [finding async for finding in examinations.embedded(settings)]
    assert [finding.code for finding in found] == ["cpu"] and "avx9" in found[0].text


async def test_F21_a_broker_that_is_away_is_named() -> None:
    url = "postgresql://nobody@127.0.0.1:9/nothing"
    settings = Settings(database_url=url, jobs_engine="celery", redis_url="redis://127.0.0.1:9/0")
    (found,) = [finding async for finding in examining_data.redis(settings)]
    assert (found.code, found.level) == ("redis_unreachable", "error")
    (found,) = examining_data.database(settings)
    assert (found.code, found.level) == ("database_unreachable", "error")
    assert [finding async for finding in examining_data.redis(Settings())] == []


async def test_a_name_that_leads_nowhere_is_not_blamed_on_nginx() -> None:
    settings = Settings(_env_file=None, public_url="https://no-such-host.invalid")
    (found,) = [finding async for finding in examinations.front(settings)]
    assert (found.code, found.level) == ("front_name", "error")
    assert "no-such-host.invalid" in found.text


async def test_who_holds_the_port_without_answering_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examinations, "FRONT_TIMEOUT", aiohttp.ClientTimeout(total=0.2))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = Settings(_env_file=None, port=silent.getsockname()[1])
        (found,) = [finding async for finding in examinations.server(settings)]
    assert found.code == "no_answer"
    assert f"process {os.getpid()} (" in found.text


@pytest.mark.parametrize(("free", "told"), [(49_000_000, "49 MB"), (199_600_000, "200 MB"), (3_210_000_000, "3.2 GB")])
def test_a_disk_that_is_nearly_full_is_told_of_in_megabytes(
    monkeypatch: pytest.MonkeyPatch, free: int, told: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=free))
    (found,) = examinations.disk(Settings(_env_file=None))
    assert found.text == f"{told} free"

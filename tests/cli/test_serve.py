"""`teahouse serve`: says where it is, refuses in one line, stops in seconds."""

import io
import os
import re
import runpy
import socket
import stat
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import segno
import typer
from typer.testing import CliRunner

from app.cli import examinations
from app.cli import serving as servers
from app.cli.db import migrate
from app.cli.main import app
from app.cli.serve import address_of, models_told, told_to_phones
from app.providers.embedded.discovery import find_model
from app.settings import Settings
from tests.cli import running
from tests.cli.running import environment, serving, teahouse
from tests.durability.processes import model_process
from tests.ports import free_port
from tests.providers.asking import settings_for
from tests.providers.embedded.runtimes import LIBGOMP, LIBGOMP_TOLD, child_with, refusing

ROOT = Path(__file__).parents[2]


def test_it_says_where_it_is_and_stops_in_seconds(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with model_process() as model, serving(environment(data, TEAHOUSE_OLLAMA_URL=model.url), tmp_path) as server:
        said = server.lines()
        assert server.url in said[0]
        assert str(data) in said[1]
        assert "ollama/scripted:latest" in said[2]
        assert "the first to register" in said[3]
        assert data.stat().st_mode & 0o777 == 0o700
        code, errors, seconds = server.terminate()
    assert (code, errors) == (0, "Bringing the database up to date …\n")
    assert seconds < 5


def test_several_workers_serve_one_address(tmp_path: Path) -> None:
    with serving(environment(tmp_path), tmp_path, "--workers", "2") as server:
        said = server.lines()
        assert server.url in said[0]
        assert "none yet" in said[2]
        for _ in range(4):
            assert urllib.request.urlopen(f"{server.url}/healthz").read() == b"ok"
        code, errors, seconds = server.terminate()
    assert (code, errors) == (0, "Bringing the database up to date …\n")
    assert seconds < 8


def test_workers_end_with_a_master_that_is_killed(tmp_path: Path) -> None:
    """Else they would hold the port, and nobody would start a new one."""
    with serving(environment(tmp_path / "data"), tmp_path, "--workers", "2") as server:
        server.lines()
        pid = server.process.pid
        workers = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        assert len(workers) == 2
        server.process.kill()
        server.process.communicate(timeout=20)  # when the last of them has closed its end
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what has been closed lingers
            again.bind(("127.0.0.1", server.port))
            again.listen()


@pytest.mark.skipif(find_model(settings_for(embedded_model="auto")) is None, reason="extra not installed")
def test_F38_a_built_in_model_that_cannot_run_is_said_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine without libgomp: the same program, whose child finds a llama.cpp that says so."""
    child = child_with(tmp_path / "fake", refusing(LIBGOMP))
    source = (
        f"from app.providers.embedded import provider; provider.CHILD = {child}; from app.cli.main import app; app()"
    )
    program = [sys.executable, "-c", source]
    monkeypatch.setattr(running, "Forked", lambda command, **how: subprocess.Popen([*program, *command[1:]], **how))
    # The port of nobody: an Ollama of this machine must not stand in for it.
    env = environment(tmp_path, TEAHOUSE_EMBEDDED_MODEL="auto", TEAHOUSE_OLLAMA_URL=f"http://127.0.0.1:{free_port()}")
    with serving(env, tmp_path) as server:
        said = server.lines()
        assert "none yet" in said[2]
        assert f"  problem embedded: {LIBGOMP_TOLD}" in said
        examined = teahouse("doctor", env={**env, "TEAHOUSE_PORT": str(server.port)}, cwd=tmp_path)
    assert examined.returncode == 1
    assert f"embedded           {LIBGOMP_TOLD}" in examined.stdout
    assert examined.stdout.count(LIBGOMP_TOLD) == 1


def test_gunicorns_file_says_what_the_command_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAHOUSE_PORT", "9123")
    monkeypatch.setenv("TEAHOUSE_WORKERS", "7")
    file = runpy.run_path(str(ROOT / "deploy" / "gunicorn.conf.py"))
    wanted = servers.gunicorn_settings(Settings())
    assert {name: file[name] for name in wanted} == wanted
    assert (wanted["bind"], wanted["workers"]) == (["127.0.0.1:9123"], 7)


def test_as_many_workers_as_the_database_takes() -> None:
    assert servers.workers_of(Settings()) == 2
    assert servers.workers_of(Settings(workers=5)) == 5
    on_postgresql = Settings.model_construct(database_url="postgresql://x", workers=0)
    assert servers.workers_of(on_postgresql) == 2 * (os.cpu_count() or 1) + 1


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("TEAHOUSE_PORT", "abc", "TEAHOUSE_PORT: "),
        ("TEAHOUSE_MODEL_SLOTS", "-1", "TEAHOUSE_MODEL_SLOTS: "),
        ("TEAHOUSE_SIGNUP", "maybe", "TEAHOUSE_SIGNUP: "),
        ("TEAHOUSE_SECRET_KEY", "short-and-private", "TEAHOUSE_SECRET_KEY: must have at least 32 bytes"),
        ("TEAHOUSE_PUBLIC_URL", "example.org", "TEAHOUSE_PUBLIC_URL: must start with http"),
        ("TEAHOUSE_JOBS_ENGINE", "celery", "TEAHOUSE_JOBS_ENGINE: celery needs PostgreSQL"),
        ("TEAHOUSE_DATABASE_URL", "mysql://x", "TEAHOUSE_DATABASE_URL: must start with"),
        (
            "TEAHOUSE_DATABASE_URL",
            "postgresql://u:short-and-private@[::/x",
            "TEAHOUSE_DATABASE_URL: PostgreSQL cannot",
        ),
        ("TEAHOUSE_DATABASE_URL", "postgres://h/x?tls=1", "TEAHOUSE_DATABASE_URL: tls is no parameter of PostgreSQL's"),
        (
            "TEAHOUSE_DATABASE_URL",
            "postgresql://u:secret@127.0.0.1:9/x",
            "TEAHOUSE_DATABASE_URL: PostgreSQL's database x",
        ),
        ("TEAHOUSE_HOST", "192.0.2.1", "TEAHOUSE_HOST: 192.0.2.1"),
    ],
)
def test_a_bad_setting_stops_it_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(servers, "end_on_signals", lambda: None)
    result = CliRunner().invoke(app, ["serve"], env={variable: value})
    assert result.exit_code == 78
    assert result.stderr.startswith(words)
    assert result.stderr.count("\n") == 1
    assert "short-and-private" not in result.output
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("folder", ["file", "file/below"])
def test_a_data_directory_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["db", "upgrade"], env={"TEAHOUSE_DATA_DIR": folder})
    assert result.exit_code == 78
    assert result.stderr.startswith(f"TEAHOUSE_DATA_DIR: {tmp_path / folder}: ")
    assert result.stderr.count("\n") == 1


def test_a_file_that_is_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "teahouse.db").write_bytes(b"no database " * 100)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["db", "upgrade"], env={"TEAHOUSE_DATA_DIR": str(tmp_path)})
    assert (result.exit_code, result.stderr.count("\n")) == (78, 1)
    assert "not a database" in result.stderr


def test_a_taken_port_is_said_before_the_database_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(servers, "end_on_signals", lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = CliRunner().invoke(app, ["serve", "--port", str(port)])
    assert result.exit_code == 1
    assert result.stderr == f"Port {port} is taken by another program. Choose one with --port or TEAHOUSE_PORT.\n"
    assert not (tmp_path / "data").exists()


def test_the_address_is_one_to_click_on() -> None:
    assert address_of(Settings(host="0.0.0.0", port=9000)) == "http://localhost:9000"
    assert address_of(Settings(host="::1")) == "http://[::1]:8000"
    assert address_of(Settings(public_url="https://tea.example.org/")) == "https://tea.example.org"


def test_a_phone_is_told_where_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    (told,) = told_to_phones(Settings(_env_file=None, host="0.0.0.0", port=8123))
    address = told.split()[-1]
    assert re.fullmatch(r"http://(\d{1,3}\.){3}\d{1,3}:8123", address)
    assert told_to_phones(Settings(_env_file=None, host="127.0.0.1")) == []
    assert told_to_phones(Settings(_env_file=None, host="0.0.0.0", public_url="https://tea.example.org")) == []
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    _, *code = told_to_phones(Settings(_env_file=None, host="0.0.0.0", port=8123))
    expected = io.StringIO()
    segno.make(address, micro=False).terminal(expected, compact=True, border=2)
    assert "\n".join(code) == expected.getvalue().rstrip("\n")


def test_a_long_list_of_models_is_cut_aloud() -> None:
    assert models_told([f"ollama/{n}" for n in range(7)])[0].endswith("ollama/4 and 2 more")
    assert "TEAHOUSE_OLLAMA_URL" in models_told([])[1]


@contextmanager
def somebody_else() -> Iterator[None]:
    """Root may do everything: then as nobody."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("name", ["secret.key", "teahouse.db", "teahouse.db-wal"])
def test_a_file_of_somebody_else_is_named_before_anything_is_served(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        file = Path(folder) / name
        file.write_bytes(b"")
        file.chmod(0o400)
        settings = Settings(_env_file=None, data_dir=Path(folder))
        with somebody_else():
            with pytest.raises(typer.Exit):
                migrate(settings)
            told = capsys.readouterr().err
            assert f"{file} is {file.owner()}'s and cannot be written." in told
            assert next(examinations.folders(settings)).code == "not_writable"
        assert file.read_bytes() == b""


def test_the_database_is_for_its_owner_alone_in_an_open_folder_too(data_dir: Path) -> None:
    data_dir.mkdir(exist_ok=True)
    data_dir.chmod(0o755)
    migrate(Settings(_env_file=None, data_dir=data_dir))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in data_dir.iterdir() if file.name.startswith("tea")}
    assert modes["teahouse.db"] == 0o600
    assert set(modes.values()) == {0o600}

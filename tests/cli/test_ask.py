"""`teahouse ask`: the whole way, over a real server that is killed, to a real terminal."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.running import COMMAND, Serving, environment, serving, teahouse
from tests.databases import new_database_url
from tests.durability.processes import model_process
from tests.model_server import answer_for
from tests.ports import free_port

LOST = b"the connection is lost; trying again"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ask")


@pytest.fixture(scope="module")
def server(folder: Path, kind_of_database: str) -> Iterator[Serving]:
    with model_process() as model:
        env = environment(folder / "data", TEAHOUSE_OLLAMA_URL=model.url, TEAHOUSE_DATABASE_URL=new_database_url())
        create = ("admin", "create-user", "alice", "--email", "alice@example.org", "--password-stdin")
        assert teahouse(*create, env=env, cwd=folder, stdin="correct horse\n").returncode == 0
        with serving(env, folder) as running:
            yield running


@pytest.fixture
def env(server: Serving, folder: Path) -> dict[str, str]:
    return environment(
        folder / "data",
        TEAHOUSE_URL=server.url,
        TEAHOUSE_USERNAME="alice",
        TEAHOUSE_PASSWORD="correct horse",
        TERM="xterm",
    )


def test_the_answer_and_nothing_else_goes_into_a_pipe(env: dict[str, str], folder: Path) -> None:
    question = "How long should green tea steep?"
    result = teahouse("ask", question, env=env, cwd=folder)
    assert (result.returncode, result.stdout, result.stderr) == (0, "".join(answer_for(question)) + "\n", "")


def test_a_killed_server_only_delays_the_answer(env: dict[str, str], folder: Path, server: Serving) -> None:
    question = "A long story [[tokens=30 rate=15]]"
    answer = "".join(answer_for(question))
    screen, terminal = pty.openpty()
    asking = subprocess.Popen([*COMMAND, "ask", question], env=env, cwd=folder, stdin=terminal, stdout=terminal)
    os.close(terminal)
    shown = os.read(screen, 100)  # the first words: it is being written
    server.kill()
    time.sleep(0.5)
    server.start()
    with suppress(OSError):  # the terminal is gone with its last user
        while more := os.read(screen, 65_536):
            shown += more
    os.close(screen)
    assert asking.wait(30) == 0
    assert shown.decode().replace("\r\n", "\n") == answer + "\n"


def test_a_lost_connection_is_told_once_where_somebody_looks(
    env: dict[str, str], folder: Path, server: Serving
) -> None:
    question = "A longer story [[tokens=40 rate=15]]"
    program = "from app.cli import api_client; api_client.LOST_AFTER = 0.3; from app.cli.main import app; app()"
    screen, terminal = pty.openpty()
    asking = subprocess.Popen(
        [sys.executable, "-c", program, "ask", question],
        env=env,
        cwd=folder,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
    )
    os.close(terminal)
    _read_until(screen, b"waiting")  # it is accepted
    server.kill()
    seen = _read_until(screen, LOST)
    server.start()
    answer, _ = asking.communicate(timeout=30)
    with suppress(OSError):
        while more := os.read(screen, 65_536):
            seen += more
    os.close(screen)
    assert (asking.returncode, answer.decode()) == (0, "".join(answer_for(question)) + "\n")
    assert seen.count(LOST) == 1


def _read_until(screen: int, words: bytes) -> bytes:
    seen = b""
    while words not in seen:
        seen += os.read(screen, 65_536)
    return seen


def test_ctrl_c_stops_the_answer_and_keeps_the_text(env: dict[str, str], folder: Path) -> None:
    question = "Never stop [[tokens=endless rate=20]]"
    screen, terminal = pty.openpty()
    asking = subprocess.Popen(
        [*COMMAND, "ask", question], env=env, cwd=folder, stdin=terminal, stdout=terminal, stderr=subprocess.DEVNULL
    )
    os.close(terminal)
    shown = os.read(screen, 100)
    asking.send_signal(signal.SIGINT)
    assert asking.wait(10) == 130
    with suppress(OSError):
        while more := os.read(screen, 65_536):
            shown += more
    os.close(screen)
    text = shown.decode().strip()
    assert "".join(answer_for(question, 500)).startswith(text)
    assert text


def test_a_wrong_password_is_refused_in_one_line(env: dict[str, str], folder: Path) -> None:
    result = teahouse("ask", "Hello", env={**env, "TEAHOUSE_PASSWORD": "wrong horse"}, cwd=folder)
    assert (result.returncode, result.stdout) == (77, "")
    assert result.stderr.count("\n") == 1


def test_a_model_that_nobody_has_is_refused(env: dict[str, str], folder: Path) -> None:
    result = teahouse("ask", "Hello", "--model", "openai/none", env=env, cwd=folder)
    assert (result.returncode, result.stdout) == (1, "")
    assert "openai" in result.stderr


def test_a_server_that_is_not_there_is_said_at_once(env: dict[str, str], folder: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    result = teahouse("ask", "Hello", "--url", url, env=env, cwd=folder, seconds=5)
    assert result.returncode == 69
    assert result.stderr.startswith(f"Nobody answers at {url}.")


def test_without_credentials_and_a_terminal_it_does_not_wait(env: dict[str, str], folder: Path) -> None:
    del env["TEAHOUSE_PASSWORD"]
    assert teahouse("ask", "Hello", env=env, cwd=folder).returncode == 77

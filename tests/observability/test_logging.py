"""What is logged arrives, once, on one line, without secrets, and never on the terminal."""

import json
import logging
import multiprocessing
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.observability.context import job_id, request_id
from app.observability.log_line import MAX_FIELD, Event, message_of, render
from app.observability.logging import FilesHandler, hide_secret, setup_logging
from app.observability.redaction import Redactor
from app.settings import Settings

logger = logging.getLogger("tests.log")

CANARY = "canary-" + "0123456789abcdef" * 2
PROCESSES, LINES = 4, 2000


def _settings(folder: Path, **values: Any) -> Settings:
    return Settings(_env_file=None, data_dir=folder, **values)


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    root = logging.getLogger()
    level, raising = root.level, logging.raiseExceptions
    setup_logging(_settings(tmp_path, secret_key=CANARY, openai_api_key="sk-" + CANARY))
    yield tmp_path / "logs"
    for handler in [handler for handler in root.handlers if isinstance(handler, FilesHandler)]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    logging.raiseExceptions = raising


def _lines(path: Path) -> list[dict[str, Any]]:
    for handler in logging.getLogger().handlers:
        handler.flush()
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_line_says_when_where_and_for_which_request_and_job(logs: Path) -> None:
    request_token, job_token = request_id.set("request-1"), job_id.set("job-1")
    logger.info("hello %s", "world")
    request_id.reset(request_token)
    job_id.reset(job_token)
    (line,) = _lines(logs / "teahouse.log")
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "INFO",
        "logger": "tests.log",
        "request_id": "request-1",
        "job_id": "job-1",
        "message": "hello world",
    }


def test_requests_go_to_a_file_of_their_own_field_by_field(logs: Path) -> None:
    logger.info("else")
    fields = {"method": "GET", "path": "/s/share-token-1234", "status": 200, "ms": 0.0, "client": "::1"}
    logging.getLogger("app.access").info("request", extra={"fields": fields})
    (line,) = _lines(logs / "access.log")
    assert {name: line[name] for name in fields} == {**fields, "path": "/s/***"}  # nor does a secret reach a field
    assert [other["message"] for other in _lines(logs / "teahouse.log")] == ["else"]


def test_errors_go_to_both_files_and_their_stack_to_one(logs: Path) -> None:
    logger.info("quiet")
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        logger.exception("loud")
    assert [line["message"] for line in _lines(logs / "teahouse.log")] == ["quiet", "loud"]
    (line,) = _lines(logs / "error.log")
    assert line["error"] == "RuntimeError: broken"
    assert "test_logging.py" in line["stack"]
    assert line["stack"].endswith("RuntimeError: broken")


@pytest.mark.parametrize(
    "text",
    [
        "a\r\nb\nc",
        "\x1b[31mred\x1b]0;title\x07",
        '"} {"level":"ERROR","message":"forged"}',
        "\x85next\u2028line\u2029paragraph\x9b31m",
        "%s %d {0} {x!r} %(name)s",
        "nul \0",
    ],
)
def test_A66_whatever_is_logged_stays_on_its_line(logs: Path, text: str) -> None:
    logger.warning("user agent: %s", text)
    logger.warning(text)
    lines = _lines(logs / "teahouse.log")
    assert len(lines) == 2
    assert {line["level"] for line in lines} == {"WARNING"}
    raw = (logs / "teahouse.log").read_text()
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in raw.replace("\n", ""))
    assert len(raw.splitlines()) == 2


def test_A66_a_lone_surrogate_is_no_reason_to_lose_a_line(tmp_path: Path) -> None:
    record = logging.makeLogRecord({"msg": "lone \ud800 surrogate", "created": 0.0})
    line = render(Event(record, message_of(record), "", "", 0), Redactor(_settings(tmp_path)))
    assert json.loads(line)["message"] == r"lone \ud800 surrogate"


@pytest.mark.parametrize("name", ["ollama_api_key", "openai_api_key"])
@pytest.mark.parametrize("keys", ["key-of-one-1", "key-of-one-1,key-of-two-2", "key-of-one-1,"])
def test_A65_every_key_is_hidden_also_where_no_address_is_set(tmp_path: Path, name: str, keys: str) -> None:
    """Ollama's key goes to the one on this machine then."""
    redact = Redactor(_settings(tmp_path, **{name: keys}))
    for key in (keys, *filter(None, keys.split(","))):
        assert "key-of" not in redact(f"refused {key} today")


def test_A66_a_megabyte_is_cut(logs: Path) -> None:
    logger.info("x" * 1_000_000)
    try:
        raise ValueError("y" * 1_000_000)
    except ValueError:
        logger.exception("z")
    assert [len(line["message"]) for line in _lines(logs / "teahouse.log")] == [MAX_FIELD, 1]
    (line,) = _lines(logs / "error.log")
    assert len(line["error"]) == MAX_FIELD
    assert "test_logging.py" in line["stack"] and len(line["stack"]) < 20_000


def test_a_traceback_that_comes_as_text_keeps_its_end(logs: Path) -> None:
    """As servers log why they cannot start."""
    frames = "".join(f'  File "module_{number}.py", line {number}, in call\n' for number in range(2000))
    logger.error("Traceback (most recent call last):\n%sPermissionError: secret.key is another user's", frames)
    (line,) = _lines(logs / "error.log")
    assert line["message"].endswith("PermissionError: secret.key is another user's")
    assert len(line["message"]) == MAX_FIELD


def test_A65_no_secret_reaches_the_files(logs: Path) -> None:
    hide_secret("made-later-" + CANARY)
    password, token = "correct horse battery", "th_" + "A1b2C3d4" * 4
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    logger.info("key %s and %s and %s", CANARY, "sk-" + CANARY, "made-later-" + CANARY)
    logger.info("Authorization: Bearer %s", token)
    logger.info("headers %r", {"authorization": "Bearer opaque-token-123", "cookie": "teahouse_session=abcdefgh.ijk"})
    logger.info("form username=alice&password=correct+horse&new_password=battery%21")
    logger.info('body {"username":"alice","password":"%s","refresh_token":"rt-12345678"}', password)
    logger.info("%s %s GET /s/%s 200", jwt, token, "share-token-1234")
    try:
        raise RuntimeError(f"401 for Bearer {token} with {CANARY}")
    except RuntimeError:
        logger.exception("provider said no to sk-abcdefghijklmnopqrstuv")
    found = "".join(json.dumps(line) for name in ("teahouse.log", "error.log") for line in _lines(logs / name))
    secrets = (CANARY, token, "opaque-token-123", "abcdefgh.ijk", "correct", "horse", "battery", "rt-12345678")
    for secret in (*secrets, jwt, "c2lnbmF0dXJl", "share-token-1234", "sk-abc"):
        assert secret not in found, secret
    assert "alice" in found  # what is no secret stays readable


@pytest.mark.parametrize(
    "hostile",
    ["x", "eyJ", "-eyJ", "password", "password ", 'password="', "bearer ", "th_", "/s/", "sk-", '"', "\\", "cookie:'"],
)
def test_A66_no_text_holds_the_writer_up(tmp_path: Path, hostile: str) -> None:
    redact = Redactor(_settings(tmp_path))
    started = time.thread_time()
    redact((hostile * 16_384)[:16_384])
    assert time.thread_time() - started < 0.2


def test_the_same_complaint_is_told_once_a_second(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("app.observability.log_line.time.monotonic", lambda: now[0])
    noisy = logging.getLogger("app.providers.circuit")
    for number in range(50):
        noisy.warning("%s cannot be reached: %d", "ollama", number)
    now[0] += 1.5
    noisy.warning("%s cannot be reached: %d", "ollama", 99)
    logger.warning("of another")
    lines = [line for line in _lines(logs / "teahouse.log") if line["logger"] == "app.providers.circuit"]
    assert [line["message"] for line in lines] == ["ollama cannot be reached: 0", "ollama cannot be reached: 99"]
    assert lines[1]["suppressed"] == 49


def test_a_wrong_format_is_no_error_of_the_caller(logs: Path) -> None:
    logger.info("%d lines", "many")
    assert _lines(logs / "teahouse.log")[0]["message"] == "%d lines"


def test_logging_costs_the_event_loop_little(logs: Path) -> None:
    logger.info("warm")
    started = time.thread_time()
    for _ in range(1000):
        logger.info("%s %s %d %.1f ms", "GET", "/api/v1/jobs/1", 200, 1.25)
    assert (time.thread_time() - started) / 1000 < 0.0005  # about 10 µs; the rest is for a slow machine
    assert sum(line["logger"] == logger.name for line in _lines(logs / "teahouse.log")) == 1001


def test_files_are_for_their_owner_alone(logs: Path) -> None:
    logger.info("x")
    _lines(logs / "teahouse.log")
    assert (logs / "teahouse.log").stat().st_mode & 0o077 == 0


def test_a_forked_process_goes_on_logging(logs: Path) -> None:
    logger.info("parent")
    _lines(logs / "teahouse.log")
    child = os.fork()
    if child == 0:
        logger.info("child")
        for handler in logging.getLogger().handlers:
            handler.flush()
        os._exit(0)
    os.waitpid(child, 0)
    assert [line["message"] for line in _lines(logs / "teahouse.log")] == ["parent", "child"]


def test_nothing_is_written_to_the_terminal(tmp_path: Path) -> None:
    script = f"""
import logging
from pathlib import Path
from app.settings import Settings
from app.observability.logging import setup_logging
setup_logging(Settings(_env_file=None, data_dir=Path({str(tmp_path)!r})))
for name in ("", "uvicorn.error", "uvicorn.access", "gunicorn.error", "asyncio", "app"):
    logging.getLogger(name).error("loud %s", name)
logging.getLogger("app").info("%d", "wrong")
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=20, check=True)
    assert (ran.stdout, ran.stderr) == (b"", b"")
    lines = [json.loads(line) for line in (tmp_path / "logs" / "teahouse.log").read_text().splitlines()]
    assert len(lines) == 6  # written before the process ended, without uvicorn's own access line


def _write_many(folder: Path, number: int) -> None:
    handler = FilesHandler(folder, Redactor(_settings(folder)), file_bytes=200_000, old=20)
    log = logging.getLogger(f"many.{number}")
    log.propagate = False
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    for line in range(LINES):
        log.info("process %d line %d %s", number, line, "x" * 50)
        if line % 100 == 0:
            time.sleep(0.005)
    handler.close()


def test_four_processes_share_rotating_files_and_lose_no_line(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_write_many, args=(tmp_path, number)) for number in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    files = list(tmp_path.glob("teahouse.log*"))
    lines = [json.loads(line)["message"] for file in files for line in file.read_text().splitlines()]
    counted = Counter(message.rsplit(" ", 1)[0] for message in lines)
    assert len(files) > 3, "it was to rotate"
    assert len(lines) == PROCESSES * LINES
    assert set(counted.values()) == {1}

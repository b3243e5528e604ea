"""Rotating log files that several processes may share; written by a thread, never to the terminal."""

import concurrent.futures.thread  # noqa: F401 - the thread's own imports want it, too late when the process ends at once
import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from app.observability.context import job_id, request_id
from app.observability.log_line import Event, Repeats, message_of, render
from app.observability.redaction import Redactor
from app.settings import Settings

FILE_BYTES = 10 * 1024 * 1024
OLD_FILES = 5
MAX_WAITING = 10_000
# At once it would take the interpreter from the very request that it tells of.
GATHER_SECONDS = 0.1
MAX_BATCH = 500
FLUSH_SECONDS = 3.0
ACCESS = "app.access"
# Their loggers come with a handler for the terminal, or with a line per request that we write ourselves.
SERVERS = ("uvicorn", "uvicorn.error", "uvicorn.asgi", "gunicorn", "gunicorn.error")
SILENT = ("uvicorn.access", "gunicorn.access")


def setup_logging(settings: Settings) -> None:
    """Send this process's log to `<logs>/teahouse.log`, its errors with their stacks to `error.log` as well, and its
    requests to `access.log`: a busy hour must not push out what else there is to know."""
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if isinstance(handler, FilesHandler)]:
        root.removeHandler(old)
        old.close()
    settings.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    root.addHandler(FilesHandler(settings.logs, Redactor(settings)))
    root.setLevel(settings.log_level)
    for name in SERVERS:
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    for name in SILENT:
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = False
        logging.getLogger(name).disabled = True
    # A full disk must not turn into stack traces on the terminal, one per line.
    logging.raiseExceptions = False


def hide_secret(secret: str) -> None:
    """Have one more text hidden from the log: a secret that was made or read after the log was set up."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, FilesHandler):
            handler.redact.hide(secret)


class FilesHandler(logging.Handler):
    """Hands records to a thread, which writes what has gathered in one go: one lock and one write per batch."""

    def __init__(self, folder: Path, redact: Redactor, *, file_bytes: int = FILE_BYTES, old: int = OLD_FILES) -> None:
        super().__init__()
        self.redact = redact
        self._folder, self._file_bytes, self._old = folder, file_bytes, old
        self._repeats = Repeats()
        self._lost = 0
        self._start()

    def _start(self) -> None:
        self._pid = os.getpid()
        self._queue: SimpleQueue[Event | threading.Event] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(self._queue,), name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        if self._pid != os.getpid():
            self._start()  # forked: the thread stayed with the parent
        suppressed = self._repeats.check(record)
        if suppressed is None:
            return
        if self._queue.qsize() >= MAX_WAITING:
            self._lost += 1  # the disk does not keep up; memory must not pay for it
            return
        self._queue.put(Event(record, message_of(record), request_id.get(), job_id.get(), suppressed + self._lost))
        self._lost = 0

    def flush(self) -> None:
        """Return when what was logged so far is in the files, or when that takes too long."""
        if self._pid == os.getpid() and self._thread.is_alive():
            written = threading.Event()
            self._queue.put(written)
            written.wait(FLUSH_SECONDS)

    def close(self) -> None:
        self.flush()
        super().close()

    def _run(self, queue: "SimpleQueue[Event | threading.Event]") -> None:
        files = self._open("teahouse.log"), self._open("error.log"), self._open("access.log")
        while True:
            batch = [queue.get()]
            time.sleep(GATHER_SECONDS)
            with suppress(Empty):
                while len(batch) < MAX_BATCH:
                    batch.append(queue.get_nowait())
            events = [item for item in batch if isinstance(item, Event)]
            requests = [event for event in events if event.record.name == ACCESS]
            others = [event for event in events if event.record.name != ACCESS]
            errors = [event for event in others if event.record.levelno >= logging.ERROR]
            _write(files[0], [render(event, self.redact) for event in others])
            _write(files[1], [render(event, self.redact, stack=True) for event in errors])
            _write(files[2], [render(event, self.redact) for event in requests])
            for item in batch:
                if isinstance(item, threading.Event):
                    item.set()

    def _open(self, name: str) -> logging.Handler:
        from concurrent_log_handler import ConcurrentRotatingFileHandler

        handler: logging.Handler = ConcurrentRotatingFileHandler(
            str(self._folder / name), maxBytes=self._file_bytes, backupCount=self._old, encoding="utf-8", chmod=0o600
        )
        return handler


def _write(file: logging.Handler, lines: list[str]) -> None:
    if lines:
        file.emit(logging.makeLogRecord({"msg": "\n".join(lines)}))

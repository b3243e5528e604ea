"""Servers that tests start, without the second that each spends on imports.

A process that has imported everything waits; each server is a fork of it, with a command line, environment, folder and
streams of its own, and a child of the test as any other process is. How the `teahouse` command begins by itself is
tried by tests/stack, which starts all that it needs in earnest.
"""

import atexit
import ctypes
import gc
import json
import os
import runpy
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PR_SET_CHILD_SUBREAPER = 36
LIBC = ctypes.CDLL(None, use_errno=True)
TEAHOUSE = "teahouse"
ONE_AT_A_TIME = threading.Lock()
REQUEST_BYTES = 1 << 17
# Of a password nobody knows, as cheap as the others.
CHEAP_HASH = "$argon2id$v=19$m=64,t=1,p=1$yzCGwhQBWO4SM2nNJCJk6Q$Me0htyqgBPtKQz45AH3izrfB8xYGTIG2nfPdbfGDMOM"
# What a server imports, here or after it has begun.
IMPORTED = (
    "app.main",  # before any library: it chooses the SQLite for all of them
    "aiosqlite",
    "alembic.command",
    "app.all_models",
    "app.cli.gunicorn_worker",
    "app.cli.main",
    "concurrent_log_handler",
    "cryptography",
    "gunicorn.app.base",
    "gunicorn.arbiter",
    "mako.template",
    "pygments.lexers",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "tests.model_server",
    "tests.process",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
)


class Forked(subprocess.Popen[Any]):
    """`Forked([module, *arguments], …)`: what Popen makes of `python -m module`, sooner; of `TEAHOUSE`, the command."""

    def _execute_child(self, args: list[str], *rest: Any) -> None:
        # In Popen's order: executable, preexec_fn, close_fds, pass_fds, cwd, env, startupinfo, creationflags, shell,
        # and each pipe's ends, those that read first.
        cwd: Path | str | None = rest[4]
        env: Mapping[str, str] | None = rest[5]
        stdin, feeding, reading_out, stdout, reading_err, stderr = rest[9:15]
        streams = [own if fd == -1 else fd for own, fd in enumerate((stdin, stdout, stderr))]
        request = {"module": args[0], "arguments": args[1:], "cwd": str(cwd or ROOT), "env": dict(env or os.environ)}
        with ONE_AT_A_TIME:
            LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # an orphan of the fork server becomes ours
            try:
                connection = _fork_server(os.readlink("/proc/thread-self/ns/net"))
                socket.send_fds(connection, [json.dumps(request).encode()], streams)
                self.pid = int(connection.recv(64))
            finally:
                LIBC.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
        self._child_created = True
        null = getattr(self, "_devnull", -1)
        for theirs, ours in ((stdin, feeding), (stdout, reading_out), (stderr, reading_err)):
            if -1 not in (theirs, ours):
                os.close(theirs)
        if null != -1:
            os.close(null)
        self._closed_child_pipe_fds = True


@cache
def _fork_server(_network: str) -> socket.socket:
    """One for each network that this process has been in; it ends with the connection, and that with this process."""
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        command = [sys.executable, "-m", __name__, str(its.fileno())]
        null = subprocess.DEVNULL
        process = subprocess.Popen(command, cwd=ROOT, pass_fds=[its.fileno()], stdin=null, stdout=null)
    atexit.register(process.wait)
    atexit.register(mine.close)
    return mine


def make_hashes_cheap() -> None:
    """Most tests sign somebody in: a fifth of their time. tests/security and tests/stack have the real ones."""
    from app.security import hashing

    hashing.MEMORY_KIB, hashing.PASSES = 64, 1
    hashing.DUMMY_HASH = CHEAP_HASH


def main(connection: socket.socket) -> None:
    for name in IMPORTED:
        import_module(name)
    make_hashes_cheap()
    gc.collect()
    gc.freeze()  # else the first collection of each fork copies all of it
    while True:
        data, streams, _, _ = socket.recv_fds(connection, REQUEST_BYTES, 3)
        if not data:
            return
        reading, writing = os.pipe()
        middle = os.fork()
        if middle == 0:
            pid = os.fork()
            if pid:
                os.write(writing, str(pid).encode())
                os._exit(0)
            for fd in (reading, writing, connection.detach()):
                os.close(fd)
            become(json.loads(data), streams)
            return
        os.waitpid(middle, 0)  # by then its child is the test's
        connection.send(os.read(reading, 64))
        for fd in (reading, writing, *streams):
            os.close(fd)


def become(request: dict[str, Any], streams: list[int]) -> None:
    from app.cli.main import app as teahouse

    for number, fd in enumerate(streams):
        os.dup2(fd, number)
        os.close(fd)
    sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    os.chdir(request["cwd"])
    if request["module"] == TEAHOUSE:
        sys.argv[:] = [str(Path(sys.executable).parent / TEAHOUSE), *request["arguments"]]
        teahouse()
    else:
        sys.argv[1:] = request["arguments"]
        runpy.run_module(request["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))

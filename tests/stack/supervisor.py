"""A small stand-in for systemd: one service, from its unit files as shipped.

It holds the listening socket, starts the service with it, hears its notifications, starts it again when it dies or
falls silent, and does on its stdin's word what systemctl does: `reload`, `restart`, `stop`, `start`. The end of its
stdin ends all. What it does it says on stdout, a line each.
"""

import contextlib
import ctypes
import os
import resource
import select
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.stack.units import Unit

PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_SET_MDWE = 36, 38, 65
MDWE_REFUSE_EXEC_GAIN = 1
LIBC = ctypes.CDLL(None)
LOOK_EVERY = 0.02


class Supervisor:
    def __init__(self, service: Unit, socket_unit: Unit | None, state: Path) -> None:
        self._unit, self._socket_unit, self._state = service, socket_unit, state
        self._listener: socket.socket | None = None
        self._main = 0
        self._wanted = self._is_ready = False
        self._start_at = self._heard_at = 0.0
        # Orphans become ours, as a service's are systemd's.
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(state / "notify"))
        self._notify.setblocking(False)

    def run(self) -> None:
        os.set_blocking(0, False)
        waiting = b""
        self._command("start")
        while True:
            select.select([self._notify.fileno(), 0], [], [], LOOK_EVERY)
            self._hear()
            self._reap()
            self._look()
            try:
                chunk = os.read(0, 4096)
            except BlockingIOError:
                continue
            if not chunk:
                break
            *lines, waiting = (waiting + chunk).split(b"\n")
            for line in lines:
                self._command(line.decode())
        self._command("stop")

    # --- what systemctl does ---

    def _command(self, word: str) -> None:
        if word in ("stop", "restart"):
            self._wanted = False
            self._stop()
        if word == "stop" and self._listener is not None:
            self._listener.close()
            self._listener = None
        if word in ("start", "restart"):
            self._wanted = True
            if self._listener is None and self._socket_unit is not None:
                self._listener = self._listen(self._socket_unit.get("Socket", "ListenStream"))
            self._start()
        if word == "reload":
            line = self._unit.get("Service", "ExecReload").replace("$MAINPID", str(self._main))
            subprocess.run(shlex.split(line), check=True)
        say(word)

    def _listen(self, address: str) -> socket.socket:
        host, _, port = address.rpartition(":")
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, int(port)))
        listener.listen(2048)
        return listener

    def _start(self) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            # As if the environment's packages had been installed for this folder, and not for another.
            "PYTHONPATH": self._unit.get("Service", "WorkingDirectory"),
            "NOTIFY_SOCKET": str(self._state / "notify"),
            "WATCHDOG_USEC": str(int(self._unit.seconds("WatchdogSec") * 1_000_000)),
        }
        command = shlex.split(self._unit.get("Service", "ExecStart"))
        if self._listener is not None:
            environment["LISTEN_FDS"] = "1"
            command = ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *command]
        self._is_ready, self._heard_at = False, time.monotonic()
        self._main = os.fork()
        if self._main == 0:
            self._become(command, environment)
        say(f"started {self._main}")

    def _become(self, command: list[str], environment: dict[str, str]) -> None:
        """The child. What of the hardening needs no systemd is put on, too."""
        try:
            os.setsid()
            os.umask(int(self._unit.get("Service", "UMask", "0022"), 8))
            if limit := int(self._unit.get("Service", "LimitNOFILE", "0")):
                most = min(limit, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
            if self._unit.get("Service", "NoNewPrivileges") == "yes":
                LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            if self._unit.get("Service", "MemoryDenyWriteExecute") == "yes":
                LIBC.prctl(PR_SET_MDWE, MDWE_REFUSE_EXEC_GAIN, 0, 0, 0)
            if folder := self._unit.get("Service", "WorkingDirectory"):
                os.chdir(folder)
            journal = os.open(self._state / "journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            nothing = os.open(os.devnull, os.O_RDONLY)
            if self._listener is not None:
                os.dup2(self._listener.fileno(), 3)  # made inheritable by dup2
            for descriptor, number in ((nothing, 0), (journal, 1), (journal, 2)):
                os.dup2(descriptor, number)
            os.execvpe(command[0], command, environment)
        except BaseException as error:
            print(f"cannot be started: {error!r}", file=sys.stderr, flush=True)
        finally:
            os._exit(127)

    def _stop(self) -> None:
        """KillMode=mixed: the master is asked, what is left after it, or too late, is killed."""
        number = signal.Signals[self._unit.get("Service", "KillSignal", "SIGTERM")]
        deadline = time.monotonic() + (self._unit.seconds("TimeoutStopSec") or 20)
        if self._main:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._main, number)
        while self._main and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY)
            self._hear()
            self._reap()
        self._kill_all()

    def _kill_all(self) -> None:
        for _ in range(500):
            if not (left := descendants(os.getpid())):
                break
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
            self._reap()
        self._main = 0

    # --- what happens by itself ---

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                for line in self._notify.recv(4096).decode().splitlines():
                    self._take(line)

    def _take(self, line: str) -> None:
        name, _, value = line.partition("=")
        if name == "MAINPID" and int(value) != self._main and os.path.exists(f"/proc/{value}"):
            self._main = int(value)
            say(f"main {value}")
        elif name == "READY" and not self._is_ready:
            self._is_ready = True
            say("ready")
        elif name == "WATCHDOG":
            self._heard_at = time.monotonic()

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                self._hear()  # its last words: another may be the main process by now
                if pid == self._main:
                    say(f"ended {os.waitstatus_to_exitcode(status)}")
                    self._main = 0

    def _look(self) -> None:
        limit = self._unit.seconds("WatchdogSec")
        if self._main and self._is_ready and limit and time.monotonic() - self._heard_at > limit:
            say("silent")
            self._kill_all()
        if self._wanted and not self._main:
            if not self._start_at:
                self._kill_all()  # the workers of a master that was killed
                self._start_at = time.monotonic() + self._unit.seconds("RestartSec")
            elif time.monotonic() >= self._start_at and self._unit.get("Service", "Restart") == "always":
                self._start_at = 0.0
                self._start()
        elif self._main:
            self._start_at = 0.0


def descendants(pid: int) -> list[int]:
    """Of a process, however deep."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [grandchild for child in map(int, children) for grandchild in (child, *descendants(child))]


def say(text: str) -> None:
    print(text, flush=True)


def main() -> None:
    state = Path(sys.argv[1])
    units = [Path(path) for path in sys.argv[2:]]
    sockets = [path for path in units if path.suffix == ".socket"]
    service = Unit(*(path for path in units if path.suffix != ".socket"))
    Supervisor(service, Unit(*sockets) if sockets else None, state).run()


if __name__ == "__main__":
    main()

"""Two machines and a switch between them: network namespaces of this kernel, where it lets us make some."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

ADDRESSES = {"a": "10.77.0.1", "b": "10.77.0.2"}
UNWANTED = os.environ.get("TEAHOUSE_TEST_NO_NAMESPACES", "")  # a reason to do without them
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


class Network:
    """Machines `a` and `b` at their addresses. A switch that is out drops what it gets, and neither of them is told."""

    def __init__(self) -> None:
        self._own = f"teahouse-{os.getpid()}"
        self._made: list[str] = []

    def make(self) -> None:
        for name in ("switch", *ADDRESSES):
            _ip("netns", "add", self._space(name))
            self._made.append(name)
            _ip("-n", self._space(name), "link", "set", "lo", "up")
        _ip("-n", self._space("switch"), "link", "add", "bridge", "type", "bridge")
        for name, address in ADDRESSES.items():
            wire = ("type", "veth", "peer", "name", f"to-{name}", "netns", self._space("switch"))
            _ip("-n", self._space(name), "link", "add", "wire", *wire)
            _ip("-n", self._space(name), "addr", "add", f"{address}/24", "dev", "wire")
            _ip("-n", self._space(name), "link", "set", "wire", "up")
            _ip("-n", self._space("switch"), "link", "set", f"to-{name}", "master", "bridge", "up")
        self.turn("up")

    def unmake(self) -> None:
        for name in self._made:
            _ip("netns", "del", self._space(name))

    def _space(self, name: str) -> str:
        return f"{self._own}-{name}"

    def turn(self, how: str) -> None:
        """The switch, `up` or `down`."""
        _ip("-n", self._space("switch"), "link", "set", "bridge", how)

    @contextmanager
    def on(self, machine: str) -> Iterator[None]:
        """What this thread opens or starts inside is on that machine, and stays there."""
        with open("/proc/thread-self/ns/net") as home, Path(f"/run/netns/{self._space(machine)}").open() as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@contextmanager
def network() -> Iterator[Network]:
    made = Network()
    with ExitStack() as stack:
        stack.callback(made.unmake)
        made.make()
        yield made


@cache
def why_not() -> str:
    """Why there can be no such network here; empty: there can."""
    if UNWANTED:
        return UNWANTED
    try:
        with network() as made, made.on("a"):
            return ""
    except (OSError, subprocess.CalledProcessError) as error:
        return str(getattr(error, "stderr", "") or error).strip()

"""“Something new”: events to this process's viewers, a bell to the other processes on this machine."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from app.jobs.lease import StoredEvent

MAX_WAITING_BYTES = 65_536
MAX_RING_BYTES = 65_536
RINGS_AT_ONCE = 100  # then others have their turn
_PROC = Path("/proc/self/fd")


class Subscription:
    """One viewer's inbox. It overflows rather than grow: the viewer then comes back by position."""

    __slots__ = ("_bytes", "_on_opened", "_waiter", "events", "overflowed", "seen")

    def __init__(self, on_opened: Callable[[], None] = lambda: None) -> None:
        self.events: list[StoredEvent] = []
        self.overflowed = False
        self.seen: int | None = None  # the last event the viewer has or was put here; None until it has read the log
        self._on_opened = on_opened
        self._bytes = 0
        self._waiter: asyncio.Future[None] | None = None

    def opened(self, position: int) -> None:
        """The viewer has read the log up to `position`; what was committed since is still to come."""
        self.seen = position
        self._on_opened()

    def put(self, events: Sequence[StoredEvent]) -> None:
        if self.seen is not None:
            self.seen = max(self.seen, events[-1].seq)
        self._bytes += sum(len(event.data) for event in events)
        if self._bytes > MAX_WAITING_BYTES and self.events:
            self.overflowed = True
            self.events.clear()
        else:
            self.events.extend(events)
        self.wake()

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def take(self) -> list[StoredEvent]:
        taken, self.events, self._bytes = self.events, [], 0
        return taken

    async def wait(self, timeout: float) -> None:
        """Return when something was put, or somebody called wake(), or after `timeout` seconds."""
        if self.events or self.overflowed:
            return
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(timeout, self.wake)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None


class Hub:
    """Who in this process watches which job."""

    def __init__(self) -> None:
        self._watchers: dict[str, set[Subscription]] = {}
        self.draining = False
        self.on_opened: Callable[[str], None] = lambda _: None

    def __len__(self) -> int:
        return sum(map(len, self._watchers.values()))

    @contextlib.contextmanager
    def watch(self, job_id: str) -> Iterator[Subscription]:
        subscription = Subscription(lambda: self.on_opened(job_id))
        self._watchers.setdefault(job_id, set()).add(subscription)
        try:
            yield subscription
        finally:
            watchers = self._watchers[job_id]
            watchers.discard(subscription)
            if not watchers:
                del self._watchers[job_id]

    def publish(self, job_id: str, events: Sequence[StoredEvent]) -> None:
        for subscription in self._watchers.get(job_id, ()):
            subscription.put(events)

    def watched(self) -> set[str]:
        return set(self._watchers)

    def positions(self) -> dict[str, int]:
        """What is watched here, and from where on somebody has not been shown it."""
        found = {}
        for job_id, subscriptions in self._watchers.items():
            seen = [s.seen for s in subscriptions if s.seen is not None and not s.overflowed]
            if seen:
                found[job_id] = min(seen)
        return found

    def wake_all(self) -> None:
        for subscriptions in self._watchers.values():
            for subscription in subscriptions:
                subscription.wake()

    def drain(self) -> None:
        """Every stream and long poll ends at its next turn."""
        self.draining = True
        self.wake_all()


class Bell:
    """A datagram socket per process in the run folder. A lost ring costs a second, never an event."""

    def __init__(self, run_dir: Path, name: str, on_ring: Callable[[bytes], None]) -> None:
        self._on_ring = on_ring
        self._name = f"{name}.sock"
        # The folder is opened once and named through /proc: a socket's path may have some 100 bytes only.
        self._run_dir = run_dir
        self._directory = os.open(run_dir, os.O_RDONLY | os.O_DIRECTORY)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(self._path(self._name))
        self._others: list[str] = []

    def _path(self, name: str) -> str:
        if _PROC.is_dir():
            return f"/proc/self/fd/{self._directory}/{name}"
        return str(self._run_dir / name)

    def start(self) -> None:
        asyncio.get_running_loop().add_reader(self._socket, self._receive)
        self.look_around()

    def look_around(self) -> None:
        """Find the other processes' sockets; called about once a second."""
        self._others = [n for n in os.listdir(self._directory) if n.endswith(".sock") and n != self._name]

    @property
    def has_others(self) -> bool:
        return bool(self._others)

    def _receive(self) -> None:
        rings: dict[bytes, None] = {}  # in order; the same one twice says nothing more
        with contextlib.suppress(BlockingIOError):
            while len(rings) < RINGS_AT_ONCE:
                rings[self._socket.recv(MAX_RING_BYTES)] = None
        for ring in rings:
            self._on_ring(ring)

    def ring(self, message: bytes) -> bool:
        """Whether all others have it; one whose socket is full, or who is gone, has not."""
        heard = True
        for name in self._others:
            try:
                self._socket.sendto(message, self._path(name))
            except BlockingIOError:
                heard = False
            except OSError:
                pass  # gone: swept in a moment
        return heard

    def close(self) -> None:
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path(self._name))
        os.close(self._directory)

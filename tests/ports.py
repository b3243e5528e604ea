"""Ports for servers that a test starts."""

import itertools
import os
import socket

# Below those that the kernel gives to connections: one of these may be taken between its choice and its use.
FIRST, PER_WORKER = 15_000, 1_000
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
# Not from the first one each time: another run of the tests may go on beside this one.
_numbers = itertools.count(os.getpid())


def free_port() -> int:
    """One that nothing listens on, and that no other worker of these tests is given."""
    for number in itertools.islice(_numbers, PER_WORKER):
        port = FIRST + _worker * PER_WORKER + number % PER_WORKER
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port is free")

"""What systemd is told (`man sd_notify`): that this serves, and, while its jobs are looked after, that it lives."""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

# Taken out of the environment: Gunicorn would say that it is ready when no worker is, and children have no say.
_SOCKET = os.environ.pop("NOTIFY_SOCKET", "")
WATCHDOG_SECONDS = int(os.environ.pop("WATCHDOG_USEC", "0")) / 1_000_000
LOOK_EVERY = 10.0


def notify(*states: str) -> None:
    """Nothing happens where no systemd listens."""
    if not _SOCKET:
        return
    address = "\0" + _SOCKET[1:] if _SOCKET.startswith("@") else _SOCKET
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as speaker:
        try:
            speaker.sendto("\n".join(states).encode(), address)
        except OSError as error:
            logger.warning("systemd cannot be told %s: %s", states[0], error)


class Watchdog:
    """Looks whether the parts that jobs need still run. `is_well` is what the last look found."""

    def __init__(self, check: Callable[[], Awaitable[None]]) -> None:
        self._check = check
        self.is_well = True

    async def watch(self) -> None:
        """Until cancelled. While something stands still systemd hears nothing, and starts the service anew."""
        while True:
            await self._look()
            if self.is_well:
                notify("WATCHDOG=1")
            await asyncio.sleep(min(LOOK_EVERY, WATCHDOG_SECONDS / 3 or LOOK_EVERY))

    async def _look(self) -> None:
        try:
            await self._check()
        except Exception as error:
            logger.error("This process does its work no longer: %s", error)
            self.is_well = False
        else:
            self.is_well = True

"""One child for all server processes: started at first use, started again after its death, taken over."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from app.clock import monotonic
from app.providers.embedded.discovery import EmbeddedModel
from app.providers.embedded.ownership import Address, Ownership
from app.providers.embedded.process import Child
from app.providers.errors import ProviderUnavailable

logger = logging.getLogger(__name__)

BACK_OFF = (1.0, 2.0, 4.0)
_GIVEN_UP_SECONDS = 30.0
_OTHERS_START_SECONDS = 60.0
_LOOK_EVERY = 0.05


class Supervisor:
    """`connect` says where a child answers. A child's death frees the ownership, so any process may start the next."""

    def __init__(self, model: EmbeddedModel, folder: Path, command: Sequence[str]) -> None:
        self._model = model
        self._command = command
        self._libraries = folder / "lib"
        self._ownership = Ownership(folder)
        self._turn = asyncio.Lock()
        self._child: Child | None = None
        self._watching: asyncio.Task[None] | None = None
        self._address: Address | None = None
        self._given_up_until = float("-inf")
        self._reason = ""

    @property
    def pid(self) -> int | None:
        """Of the child, if it is ours."""
        return self._child.pid if self._child is not None and self._child.is_running else None

    @property
    def is_running(self) -> bool:
        """Here or in another process; nothing is started for it."""
        if self._child is not None:
            return self._child.is_running
        if self._ownership.published() is None or self._ownership.is_held:
            return False
        if self._ownership.acquire():
            self._ownership.release()
            return False
        return True

    async def connect(self, besides: Address | None = None) -> Address:
        """Where a child answers; `besides` is an address that was found dead."""
        async with self._turn:
            await self._bury(besides)
            if self._child is not None and self._address is not None:
                return self._address
            give_up_at = monotonic() + _OTHERS_START_SECONDS
            while not self._ownership.acquire():
                published = self._ownership.published()
                if published is not None and published != besides:
                    return published
                if monotonic() > give_up_at:
                    raise ProviderUnavailable("Another process does not get the built-in model started.")
                await asyncio.sleep(_LOOK_EVERY)
            return await self._start()

    async def replace(self, address: Address) -> None:
        """The child does not react: end it, if it is ours."""
        if self._child is not None and self._address == address:
            logger.warning("The built-in model does not react; it is ended")
            await self._child.stop(patience=0)
            await self._bury(address)

    async def stop(self) -> None:
        """Within five seconds, leaving neither process nor socket."""
        if self._child is not None:
            await self._child.stop()
        if self._watching is not None:
            await asyncio.wait([self._watching])
        self._ownership.release()

    async def _start(self) -> Address:
        if monotonic() < self._given_up_until:
            self._ownership.release()
            raise ProviderUnavailable(self._reason, retry_after=self._given_up_until - monotonic())
        address = self._ownership.new_address()
        try:
            child = await self._start_with_patience(address)
        except BaseException:
            self._ownership.remove(address)
            self._ownership.release()
            raise
        self._ownership.publish(address)
        self._child, self._address = child, address
        self._watching = asyncio.create_task(self._watch(child))
        return address

    async def _start_with_patience(self, address: Address) -> Child:
        """What can never run is no ProviderUnavailable and gets no patience; the next answer finds it repaired."""
        for pause in (*BACK_OFF, None):
            try:
                return await Child.start(self._model, address, self._libraries, self._command)
            except ProviderUnavailable as error:
                self._reason = error.message
                if pause is None:
                    self._given_up_until = monotonic() + _GIVEN_UP_SECONDS
                    raise
                logger.warning("%s; again in %.0f s", error.message, pause)
                await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    async def _watch(self, child: Child) -> None:
        reason = await child.wait()
        if self._child is child:
            logger.info("The built-in model has ended: %s", reason)
            self._child = self._address = None
            self._ownership.release()

    async def _bury(self, dead: Address | None) -> None:
        """Ends a child of ours that refuses connections, and waits for the watcher of one that has died."""
        if self._child is None or self._watching is None:
            return
        if self._child.is_running:
            if self._address != dead:
                return
            await self._child.stop(patience=0)
        await asyncio.wait([self._watching])

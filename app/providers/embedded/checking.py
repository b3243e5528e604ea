"""Whether llama.cpp can be loaded here, before anybody chooses the model."""

import asyncio
import logging
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from app.providers.embedded.loading import environment, unusable
from app.providers.errors import ProviderUnusable
from app.providers.failures import quote

logger = logging.getLogger(__name__)

_CHECK_SECONDS = 20.0


class Check:
    """By a child that loads it and ends. A good verdict is remembered; a bad one may change, and is sought anew."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._is_good = False
        self._problem: ProviderUnusable | None = None
        self._looking: asyncio.Task[ProviderUnusable | None] | None = None

    async def ensure(self, patience: float) -> None:
        """Raises ProviderUnusable. Without a verdict in time the last one holds, and at first a good one."""
        if self._is_good:
            return
        looking = self._looking = self._looking or asyncio.create_task(self._look())
        await asyncio.wait([looking], timeout=patience)
        if looking.done() and self._looking is looking:
            self._take(looking.result())
        if self._problem is not None:
            raise self._problem

    def failed(self, error: ProviderUnusable) -> None:
        """A child that should have answered came to know better."""
        self._is_good, self._problem = False, error

    async def aclose(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])

    def _take(self, problem: ProviderUnusable | None) -> None:
        if problem is not None and self._problem is None:
            logger.warning("%s", problem.message)
        self._is_good, self._problem, self._looking = problem is None, problem, None

    async def _look(self) -> ProviderUnusable | None:
        """None, too, where nothing can be found out: then the first answer will tell."""
        try:
            # A temporary folder: `teahouse doctor` must leave nothing in the data folder.
            with tempfile.TemporaryDirectory() as folder:
                return await self._run(environment(Path(folder)))
        except (OSError, TimeoutError) as error:
            logger.warning("Whether the built-in model can run is not known: %r", error)
            return None

    async def _run(self, environment: dict[str, str]) -> ProviderUnusable | None:
        nothing, pipe = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self._command, "--check", stdin=nothing, stdout=nothing, stderr=pipe, env=environment
        )
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                _, said = await process.communicate()
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        last = said.decode(errors="replace").strip().rpartition("\n")[2]
        return unusable(process.returncode or 0, quote(last))

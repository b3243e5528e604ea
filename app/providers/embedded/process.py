"""One run of the child: start it, hear that it is ready, hear why it is not, end it."""

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from app.providers.embedded.discovery import EmbeddedModel
from app.providers.embedded.loading import environment, unusable
from app.providers.embedded.ownership import Address
from app.providers.errors import ProviderUnavailable
from app.providers.failures import quote

logger = logging.getLogger(__name__)

CHILD = [sys.executable, "-I", str(Path(__file__).with_name("child.py"))]
WINDOW = 8192
SLOTS = 2
_START_SECONDS = 60.0
_STOP_SECONDS = 3.0
_LOOK_EVERY = 0.02


class Child:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._last_words = ""
        self._listening = asyncio.create_task(self._log_stderr())

    @classmethod
    async def start(cls, model: EmbeddedModel, address: Address, libraries: Path, command: Sequence[str]) -> "Child":
        """A child that answers. Raises ProviderUnavailable or ProviderUnusable with the reason why there is none."""
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment(libraries)
            )
        except OSError as error:
            raise ProviderUnavailable(f"The built-in model cannot be started: {error.strerror}") from None
        child = cls(process)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await child._configure(model, address)
        except BaseException as error:
            await child.stop(patience=0)
            if isinstance(error, TimeoutError):
                raise ProviderUnavailable("The built-in model did not start in time.") from None
            raise
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None

    async def wait(self) -> str:
        """Until it has ended (so that no zombie stays); the reason."""
        code = await self._process.wait()
        # A grandchild may keep stderr open; and `stop` may have ended the listening, which must not end the waiting.
        await asyncio.wait([self._listening], timeout=1)
        how = f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return f"{self._last_words} ({how})" if self._last_words else how

    async def stop(self, patience: float = _STOP_SECONDS) -> None:
        """Closes its stdin, which ends it; kills it if it does not react."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(patience):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        self._listening.cancel()
        await asyncio.wait([self._listening])

    async def _configure(self, model: EmbeddedModel, address: Address) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        configuration = {"model": str(model.path), "name": model.name, "socket": address.socket, "key": address.key}
        with suppress(ConnectionError):
            self._process.stdin.write(json.dumps({**configuration, "n_ctx": WINDOW, "slots": SLOTS}).encode() + b"\n")
            await self._process.stdin.drain()
        if not await self._process.stdout.readline():
            reason = await self.wait()
            assert self._process.returncode is not None
            raise unusable(self._process.returncode, self._last_words) or ProviderUnavailable(
                f"The built-in model cannot run: {reason}"
            )
        while not await _listens(address.socket) and self.is_running:  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(_LOOK_EVERY)

    async def _log_stderr(self) -> None:
        """By chunks: llama.cpp's lines may be longer than a StreamReader takes."""
        assert self._process.stderr is not None
        tail = b""
        while chunk := await self._process.stderr.read(4096):
            *lines, tail = (tail[-4096:] + chunk).split(b"\n")
            for line in lines:
                self._note(line)
        self._note(tail)

    def _note(self, line: bytes) -> None:
        if words := quote(line.decode(errors="replace")):
            self._last_words = words
            logger.warning("Built-in model: %s", words)


async def _listens(socket: str) -> bool:
    """llama.cpp says that it is ready when its socket is bound, which on a busy machine is before it listens."""
    try:
        _, writer = await asyncio.open_unix_connection(socket)
    except (ConnectionRefusedError, FileNotFoundError):
        return False
    except OSError:
        return True  # what else is wrong is told by the first request
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True

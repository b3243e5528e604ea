"""Ollama's scheduler: so many answers at once of each model, the others wait inside; loading and reading take time.

Another window than the one that a model is loaded with loads it anew.

As in the real one a prompt that was begun is read to its end, also when nobody waits for it any more.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

USUAL_WINDOW = 4096


@dataclass
class Scheduler:
    """Seconds to load a model and to read 1,000 characters. `order`: prompts in the order in which they were begun."""

    parallel: int = 1000
    load_seconds: float = 0.0
    read_seconds: float = 0.0
    order: list[str] = field(default_factory=list)
    abandoned: int = 0
    loaded: set[str] = field(default_factory=set)
    loads: list[str] = field(default_factory=list)  # of models, one after the other
    windows: dict[str, int] = field(default_factory=dict)  # of loaded models
    _slots: dict[str, asyncio.Semaphore] = field(default_factory=dict)
    _loading: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _reading: set[asyncio.Task[None]] = field(default_factory=set)

    async def load(self, model: str, window: int | None = None) -> None:
        async with self._loading[model]:
            is_other = window is not None and self.windows.get(model) != window
            if model not in self.loaded or is_other:
                await asyncio.sleep(self.load_seconds)
                self.loaded.add(model)
                self.loads.append(model)
                self.windows[model] = window or USUAL_WINDOW

    @asynccontextmanager
    async def slot(self, model: str, prompt: str, window: int | None = None) -> AsyncIterator[None]:
        await self.load(model, window)
        slots = self._slots.setdefault(model, asyncio.Semaphore(self.parallel))
        await slots.acquire()
        self.order.append(prompt)
        reading = asyncio.create_task(asyncio.sleep(len(prompt) / 1000 * self.read_seconds))
        try:
            await asyncio.shield(reading)
            yield
        except asyncio.CancelledError:
            if not reading.done():
                self.abandoned += 1
                self._reading.add(reading)
                reading.add_done_callback(lambda _: slots.release())
                reading.add_done_callback(self._reading.discard)
                raise
            slots.release()
            raise
        except BaseException:
            slots.release()
            raise
        else:
            slots.release()

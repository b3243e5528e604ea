"""The /api endpoints of Ollama that this app uses."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.i18n import worded
from app.jobs.states import Phase
from app.providers.base import (
    CUTS_PROMPTS,
    MAX_MODEL_NAME,
    ChatRequest,
    ModelDetails,
    ModelInfo,
    Problem,
    PullProgress,
    is_model_name,
    too_many,
)
from app.providers.budget import for_load, for_pull
from app.providers.errors import ModelNotFound, ProviderCut, ProviderError, ProviderProtocolError, ProviderUnavailable
from app.providers.events import ChatEvent
from app.providers.failures import from_error_event
from app.providers.http import Upstream, host_of
from app.providers.lenient import loads
from app.providers.lines import LineSplitter
from app.providers.listing import Listed
from app.providers.ollama.chat import AnswerParser, body_for
from app.providers.ollama.continuing import Continuing
from app.providers.ollama.details import capabilities_of, details_of
from app.providers.ollama.version import REFUSES_TOO_LONG, UNKNOWN, version_of
from app.providers.ollama.windows import USUAL, WindowFacts, memory_of, window_facts_of
from app.providers.pool import KeepingPool
from app.providers.registry import DEFAULT_OLLAMA_URL
from app.providers.single_flight import SingleFlight
from app.providers.values import MOST_BYTES, count, line, positive
from app.settings import Settings

_NDJSON = "application/x-ndjson"
_LIST_SECONDS = 5.0
_SHOW_SECONDS = 5.0
_SHOW_IN_LIST_SECONDS = 0.3
_LOAD_SECONDS = 60.0
_LIFE_SECONDS = 2.0
_LIFE_HOLDS_SECONDS = 1.0  # for all answers that wait: each looks every other second
_LOOK_UPS = 8  # at once on one server
_MOST_REMEMBERED = 1000  # models
_MAX_STATUS = 200  # characters


@dataclass(frozen=True, slots=True)
class _Details:
    digest: str | None
    window: WindowFacts
    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the list of models."""

    digest: str | None
    size: int | None
    window: int | None  # of one in memory


class OllamaProvider:
    name = "ollama"
    paid = False
    slots = None
    problem: Problem | None = None

    def __init__(self, settings: Settings, base_url: str, *, key: str = "", label: str = "Ollama") -> None:
        self._upstream = Upstream(base_url, settings, key=key, label=label)
        self._context_length = settings.ollama_context_length
        self._memory = memory_of(base_url)
        self._details: dict[str, _Details] = {}
        self._windows: dict[str, tuple[WindowFacts, int]] = {}  # as they were decided once
        self._continuing = Continuing(self._upstream)
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._running = SingleFlight(self._ask_running)
        self._life = SingleFlight(self._ask_life, seconds=_LIFE_HOLDS_SECONDS)
        self._looks_up = asyncio.Semaphore(_LOOK_UPS)

    async def list_models(self) -> list[ModelInfo]:
        tags, running, version = await asyncio.gather(
            self._upstream.items("/api/tags", "models", seconds=_LIST_SECONDS),
            self._running(),
            version_of(self._upstream, _LIST_SECONDS),
        )
        self.problem = _problem_of(version) or too_many(len(tags.items), tags.count)
        entries = _entries(tags)
        await self._look_up(entries)
        models = [self._info(name, entry.size, running) for name, entry in entries.items()]
        return [model for model in models if "chat" in model.capabilities]

    async def can_continue(self, model: str) -> bool:
        return await self._continuing.is_possible(model, (await self._window(model))[0])

    async def chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        window, is_elsewhere = await self._window(request.model)
        window = request.options.num_ctx or window
        if is_elsewhere:
            request.on_phase(Phase.reading)
        else:
            await self._load(request, window)
        parser = AnswerParser(self._upstream, window, continues=request.continues)
        body = body_for(request, None if is_elsewhere else window)
        lives = partial(self._lives, None if is_elsewhere else request)
        async with self._upstream.stream("/api/chat", body, tells=_NDJSON, lives=lives) as answer:
            while not parser.ended and (chunk := await answer.read()):
                was_heard = parser.heard
                for event in parser.feed(chunk):
                    yield event
                if parser.heard and not was_heard:
                    answer.heard_token()
            if not parser.ended:
                for event in parser.finish():
                    yield event

    async def pull(self, model: str) -> AsyncGenerator[PullProgress, None]:
        """Downloads a model; ends when it is complete."""
        splitter = LineSplitter()
        body = {"model": model, "stream": True}
        async with self._upstream.stream("/api/pull", body, tells=_NDJSON, budget=for_pull()) as answer:
            answer.heard_token()
            while chunk := await answer.read():
                for data in splitter.feed(chunk):
                    progress = _pulled(data, model)
                    yield progress
                    if progress.status == "success":
                        self._details.pop(model, None)
                        return
        raise ProviderCut("Ollama broke off the download.", began=True)

    async def show(self, model: str) -> ModelDetails:
        return details_of(await self._upstream.json("POST", "/api/show", {"model": model}, seconds=_SHOW_SECONDS))

    async def delete(self, model: str) -> None:
        await self._upstream.json("DELETE", "/api/delete", {"model": model}, seconds=_LOAD_SECONDS)
        self._details.pop(model, None)

    async def unload(self, model: str) -> None:
        """Gives the model's memory back."""
        body = {"model": model, "keep_alive": 0, "stream": False}
        await self._upstream.json("POST", "/api/generate", body, seconds=_LOAD_SECONDS)

    async def aclose(self) -> None:
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, self._running.aclose(), self._life.aclose(), return_exceptions=True)
        await self._upstream.aclose()

    async def _load(self, request: ChatRequest, window: int) -> None:
        """A model that is not in memory is loaded before it is asked: else loading and reading could not be told apart.

        An empty prompt is Ollama's own word for it. What goes wrong is left for the chat to say.
        """
        if _is_loaded(request.model, await self._running()) is False:
            request.on_phase(Phase.loading)
            body = {"model": request.model, "options": {"num_ctx": window}, "stream": True}
            with suppress(ProviderError):
                lives = partial(self._lives, request)
                async with self._upstream.stream(
                    "/api/generate", body, tells=_NDJSON, lives=lives, budget=for_load()
                ) as answer:
                    while await answer.read():
                        pass
            self._running.forget()
            self._life.forget()
        request.on_phase(Phase.reading)

    async def _lives(self, request: ChatRequest | None) -> bool:
        """If `request` is given, its phase is reported as well."""
        lives, running = await self._life()
        loaded = _is_loaded(request.model, running) if request else None
        if request and loaded is not None:
            request.on_phase(Phase.reading if loaded else Phase.loading)
        return lives

    async def _ask_life(self) -> tuple[bool, dict[str, _Entry] | None]:
        """By what it answers at any time, also while it loads a model or reads a prompt for minutes."""
        try:
            await self._upstream.json("GET", "/api/version", seconds=_LIFE_SECONDS)
        except ProviderUnavailable:
            return False, None
        except ProviderError:
            pass  # too old to know its version
        return True, await self._running()

    async def _ask_running(self) -> dict[str, _Entry] | None:
        """The models in memory, by name; None when an old Ollama does not say."""
        try:
            return _entries(await self._upstream.items("/api/ps", "models", seconds=_LIFE_SECONDS))
        except ProviderError:
            return None

    def _info(self, name: str, size: int | None, running: dict[str, _Entry] | None) -> ModelInfo:
        details = self._details.get(name)
        return ModelInfo(
            self.name,
            name,
            self._decided(name, details.window, running) if details else None,
            details.capabilities if details else ("chat",),
            None if running is None else name in running,
            size,
        )

    async def _look_up(self, entries: dict[str, _Entry]) -> None:
        """Details of new models; what takes longer than a moment is there at the next look."""
        for name, entry in entries.items():
            known = self._details.get(name)
            if (known is None or known.digest != entry.digest) and name not in self._asking:
                self._asking[name] = asyncio.create_task(self._remember(name, entry.digest))
        if self._asking:
            await asyncio.wait(list(self._asking.values()), timeout=_SHOW_IN_LIST_SECONDS)

    async def _remember(self, name: str, digest: str | None) -> None:
        try:
            async with self._looks_up:
                self._keep(name, await self._show(name, digest))
        except ProviderError:
            pass  # only the list's extras are missing
        finally:
            del self._asking[name]

    def _keep(self, name: str, details: _Details) -> _Details:
        """A server may tell other names each time: of those that were known longest nothing is kept."""
        self._details.pop(name, None)
        self._details[name] = details
        if len(self._details) > _MOST_REMEMBERED:
            oldest = next(iter(self._details))
            del self._details[oldest]
            self._windows.pop(oldest, None)
        return details

    async def _show(self, name: str, digest: str | None) -> _Details:
        shown = await self._upstream.json("POST", "/api/show", {"model": name}, seconds=_SHOW_SECONDS)
        shown = shown if isinstance(shown, dict) else {}
        abilities = shown.get("capabilities")
        return _Details(digest, window_facts_of(name, shown), capabilities_of(abilities))

    async def _window(self, model: str) -> tuple[int, bool]:
        """In tokens, and whether the model is elsewhere, so that nothing is asked for."""
        details = self._details.get(model)
        if details is None:
            try:
                details = self._keep(model, await self._show(model, None))
            except (ModelNotFound, ProviderUnavailable):
                raise
            except ProviderError:
                return self._context_length or USUAL, False
        facts = details.window
        known = self._windows.get(model)
        if known is None or known[0] != facts:
            running = None if facts.is_elsewhere else await self._running()
            known = self._windows[model] = (facts, self._decided(model, facts, running))
        return known[1], facts.is_elsewhere

    def _decided(self, model: str, facts: WindowFacts, running: dict[str, _Entry] | None) -> int:
        known = self._windows.get(model)
        if known is not None and known[0] == facts:
            return known[1]
        loaded = _entry_of(model, running or {})
        choice = facts.choice(loaded.window if loaded else None, self._memory)
        return choice if facts.is_elsewhere else self._context_length or choice


def _problem_of(version: tuple[int, ...]) -> Problem | None:
    if not UNKNOWN < version < REFUSES_TOO_LONG:
        return None
    told, needed = (".".join(map(str, numbers)) for numbers in (version, REFUSES_TOO_LONG))
    sentence = worded(
        "This Ollama, {version}, leaves out the beginning of a long conversation without a word. {needed} does not.",
        version=told,
        needed=needed,
    )
    return Problem(CUTS_PROMPTS, sentence)


def _entries(listed: Listed) -> dict[str, _Entry]:
    """By name, in the server's order."""
    named = [m for m in listed.items if isinstance(m, dict) and isinstance(m.get("name"), str)]
    return {m["name"]: _entry(m) for m in named if is_model_name(m["name"])}


def _entry(model: dict[str, Any]) -> _Entry:
    digest = line(model.get("digest"), MAX_MODEL_NAME) or None
    return _Entry(digest, positive(model.get("size"), MOST_BYTES), positive(model.get("context_length")))


def _is_loaded(model: str, running: dict[str, _Entry] | None) -> bool | None:
    """None of a server that does not say."""
    return None if running is None else _entry_of(model, running) is not None


def _entry_of(model: str, entries: dict[str, _Entry]) -> _Entry | None:
    return entries.get(model) or entries.get(f"{model}:latest")


def _pulled(told: bytes, model: str) -> PullProgress:
    try:
        data = loads(told)
    except ValueError:
        raise ProviderProtocolError("Ollama sent a malformed line.", began=True) from None
    if not isinstance(data, dict):
        raise ProviderProtocolError("Ollama sent a line that is no object.", began=True)
    if "error" in data:
        error = from_error_event(data["error"], "Ollama", began=True)
        missing = "does not exist" in error.message or "not found" in error.message
        raise ModelNotFound(f"There is no model {model[:200]} to pull: {error.message}") if missing else error
    done, total = (count(data.get(name), MOST_BYTES) for name in ("completed", "total"))
    return PullProgress(line(data.get("status"), _MAX_STATUS), done, total)


def from_settings(settings: Settings) -> "OllamaProvider | KeepingPool[OllamaProvider]":
    servers = settings.ollama_servers or [(DEFAULT_OLLAMA_URL, settings.ollama_api_key)]
    if len(servers) == 1:
        return OllamaProvider(settings, servers[0][0], key=servers[0][1])
    members = [
        (host_of(url), OllamaProvider(settings, url, key=key, label=f"Ollama at {host_of(url)}"))
        for url, key in servers
    ]
    return KeepingPool(members, slots=settings.model_slots)

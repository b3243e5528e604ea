"""The built-in model as a provider: an OpenAI-compatible server that is started when it is needed."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial

import aiohttp

from app.i18n import worded
from app.jobs.states import Phase
from app.providers.base import ChatOptions, ChatRequest, ModelInfo, Problem
from app.providers.embedded.checking import Check
from app.providers.embedded.discovery import EmbeddedModel, find_model
from app.providers.embedded.ownership import Address
from app.providers.embedded.process import CHILD, SLOTS, WINDOW
from app.providers.embedded.supervisor import Supervisor
from app.providers.errors import FirstTokenTimeout, ProviderCut, ProviderError, ProviderUnavailable, ProviderUnusable
from app.providers.events import ChatEvent
from app.providers.http import Upstream
from app.providers.openai_compatible.client import OpenAIProvider
from app.settings import Settings

_SLOT_WINDOW = WINDOW // SLOTS
_DEMO_MAX_TOKENS = 512
_HEALTH_SECONDS = 2.0
# A page does not wait longer to learn whether it can run: what cannot says so at once; who takes longer is loading.
LIST_SECONDS = 1.0
VERDICT_SECONDS = 10.0  # at the start, and where somebody asks what is wrong


class EmbeddedProvider:
    name = "embedded"
    paid = False
    slots = None
    problem: Problem | None = None

    def __init__(self, settings: Settings, model: EmbeddedModel | None, command: Sequence[str] = ()) -> None:
        self._settings = settings
        self._model = model
        command = command or CHILD
        self._supervisor = Supervisor(model, settings.run_dir / "embedded", command) if model else None
        self._check = Check(command)
        self._address: Address | None = None
        self._chat: OpenAIProvider | None = None
        self._retired: list[OpenAIProvider] = []

    async def list_models(self) -> list[ModelInfo]:
        """Starts no model, but finds out whether one could be: none is listed that cannot answer."""
        model, supervisor = self._found()
        await self.ensure_usable(LIST_SECONDS)
        capabilities = ("chat", "demo") if model.is_demo else ("chat",)
        return [ModelInfo(self.name, model.name, _SLOT_WINDOW, capabilities, supervisor.is_running)]

    async def ensure_usable(self, patience: float) -> None:
        """Raises ProviderUnusable if it is known within so many seconds that nothing can run here."""
        self._found()
        await self._check.ensure(patience)

    async def can_continue(self, model: str) -> bool:
        return True

    async def chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        model, supervisor = self._found()
        if model.is_demo:
            request = replace(request, options=_demo_options(request.options))
        dead: Address | None = None
        while True:
            if not supervisor.is_running:
                request.on_phase(Phase.loading)
            try:
                address = await supervisor.connect(dead)
            except ProviderUnusable as error:
                self._check.failed(error)
                raise
            yielded = False
            try:
                async with aclosing(self._connected(address).chat(request)) as events:
                    async for event in events:
                        yielded = True
                        yield event
                return
            except (ProviderUnavailable, ProviderCut) as error:
                is_gone = await self._is_gone(address)
                # One quiet repeat if the child had died since it was last used and nothing was shown.
                if not is_gone or yielded or dead is not None or isinstance(error, FirstTokenTimeout):
                    raise
                dead = address

    async def aclose(self) -> None:
        await self._check.aclose()
        if self._supervisor is not None:
            await self._supervisor.stop()
        for provider in (*self._retired, *([self._chat] if self._chat else [])):
            await provider.aclose()
        self._retired.clear()
        self._chat = self._address = None

    def _found(self) -> tuple[EmbeddedModel, Supervisor]:
        if self._model is None or self._supervisor is None:
            raise ProviderUnusable(worded("The built-in model's file or its runtime is missing."))
        return self._model, self._supervisor

    def _connected(self, address: Address) -> OpenAIProvider:
        if self._chat is None or self._address != address:
            if self._chat is not None:
                self._retired.append(self._chat)  # an answer may still come through it
            self._address = address
            self._chat = self._reach(address)
        return self._chat

    def _reach(self, address: Address) -> OpenAIProvider:
        model, _ = self._found()
        connector = partial(aiohttp.UnixConnector, address.socket, force_close=True, limit=0)
        upstream = Upstream(
            "http://localhost/v1", self._settings, key=address.key, connector=connector, label="The built-in model"
        )
        windows: dict[str, int | None] = {model.name: _SLOT_WINDOW}
        return OpenAIProvider(upstream, name=self.name, is_llama=True, windows=windows)

    async def _is_gone(self, address: Address) -> bool:
        """Its HTTP threads answer however busy the model is; if even they do not, it is dead or must be ended."""
        _, supervisor = self._found()
        try:
            await self._connected(address).check_health(_HEALTH_SECONDS)
        except ProviderError:
            await supervisor.replace(address)
            return True
        return False


def _demo_options(options: ChatOptions) -> ChatOptions:
    """A very small model rambles without a limit and repeats itself without a penalty."""
    return replace(
        options,
        temperature=0.3 if options.temperature is None else options.temperature,
        top_p=0.9 if options.top_p is None else options.top_p,
        repeat_penalty=1.1 if options.repeat_penalty is None else options.repeat_penalty,
        max_tokens=min(options.max_tokens or _DEMO_MAX_TOKENS, _DEMO_MAX_TOKENS),
    )


def from_settings(settings: Settings) -> EmbeddedProvider:
    return EmbeddedProvider(settings, find_model(settings))

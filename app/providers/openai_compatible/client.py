"""The /v1 endpoints this app uses; tells llama.cpp from the rest."""

from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

from app.i18n import worded
from app.jobs.states import Phase
from app.providers.base import CUTS_PROMPTS, ChatRequest, ModelInfo, Problem, is_model_name, too_many
from app.providers.errors import ModelNotFound, ProviderCut, ProviderError, ProviderProtocolError, ProviderRejected
from app.providers.events import ChatEvent
from app.providers.http import Upstream, host_of
from app.providers.openai_compatible.chat import AnswerParser
from app.providers.openai_compatible.messages import body_for, without_refused
from app.providers.pool import Pool
from app.providers.values import MOST_AT_ONCE, positive
from app.settings import Settings, is_local_address

_LIST_SECONDS = 10.0
_LOOK_SECONDS = 2.0
_PROPS_SECONDS = 2.0
_TAIL_SECONDS = 2.0
_HEALTH_SECONDS = 5.0
_MOST_REMEMBERED = 1000  # models
_WINDOW_NAMES = ("max_model_len", "context_length", "max_context_length")
_NO_CHAT = ("embed", "whisper", "tts-", "dall-e", "moderation", "rerank")


class OpenAIProvider:
    """`is_llama` and `windows` (per model, tokens) are found out unless they are given."""

    def __init__(
        self,
        upstream: Upstream,
        *,
        name: str = "openai",
        paid: bool = False,
        is_llama: bool | None = None,
        windows: dict[str, int | None] | None = None,
    ) -> None:
        self.name = name
        self.paid = paid
        self._upstream = upstream
        self.slots: int | None = None
        self.problem: Problem | None = None
        self._is_llama = is_llama
        self._has_looked = False
        self._windows = windows or {}
        self._refusals: dict[str, list[str]] = {}  # by model: what the server said that it does not take

    async def list_models(self, seconds: float = _LIST_SECONDS) -> list[ModelInfo]:
        try:
            listed = await self._upstream.items("/models", "data", seconds=seconds)
        except ModelNotFound:
            raise ProviderProtocolError(
                f"{self._upstream.label} has no /models: should its address end in /v1?"
            ) from None
        named = [e for e in listed.items if isinstance(e, dict) and isinstance(e.get("id"), str)]
        self._is_llama = any(entry.get("owned_by") == "llamacpp" for entry in named)
        slot = await self._slot_window() if self._is_llama else None
        self.problem = await self._problem_of(named) or too_many(len(listed.items), listed.count)
        named = [entry for entry in named if is_model_name(entry["id"])]
        self._windows = {entry["id"]: slot or _window_of(entry) for entry in named}
        return [ModelInfo(self.name, n, w) for n, w in self._windows.items() if not any(x in n for x in _NO_CHAT)]

    async def can_continue(self, model: str) -> bool:
        """Raises ProviderError while the server, not met yet, is away: "no" would throw text away."""
        if self._is_llama is None:
            await self.list_models()
        return bool(self._is_llama)

    async def chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        is_llama = await self._is_known_llama()
        request.on_phase(Phase.reading)
        body = body_for(request, extended=is_llama or not self.paid, is_llama=is_llama)
        ignored: list[str] = []
        for refusal in self._refusals.get(request.model, ()):
            body = _changed(body, refusal, ignored) or body
        while True:
            parser = AnswerParser(self._upstream, self._windows.get(request.model), continues=request.continues)
            try:
                lives = self._lives if is_llama else None
                async with self._upstream.stream(
                    "/chat/completions", body, tells="text/event-stream", lives=lives
                ) as answer:
                    while not parser.ended and (chunk := await answer.read()):
                        was_heard, was_told = parser.heard, parser.told
                        for event in parser.feed(chunk):
                            yield event
                        if parser.told and not was_told:
                            answer.wait_at_most(_TAIL_SECONDS)
                        elif parser.heard and not was_heard:
                            answer.heard_token()
                    for event in parser.finish(ignored):
                        yield event
            except ProviderRejected as error:
                changed = _changed(body, error.message, ignored)
                if changed is None or error.began:
                    raise
                self._remember(request.model, error.message)
                body = changed
                continue
            except ProviderCut:
                if not parser.told:  # after a finish_reason only the usage can be missing
                    raise
                for event in parser.finish(ignored):
                    yield event
            return

    def _remember(self, model: str, refusal: str) -> None:
        self._refusals.setdefault(model, []).append(refusal)
        if len(self._refusals) > _MOST_REMEMBERED:
            del self._refusals[next(iter(self._refusals))]

    async def check_health(self, seconds: float) -> None:
        """llama.cpp's own answer to whether it lives. Raises ProviderError."""
        await self._upstream.json("GET", "/health", seconds=seconds, at_root=True)

    async def _lives(self) -> bool:
        try:
            await self.check_health(_HEALTH_SECONDS)
        except ProviderError:
            return False
        return True

    async def _is_known_llama(self) -> bool:
        """Looks once, before the first chat; a server without a list gets plain OpenAI."""
        if self._is_llama is None and not self._has_looked:
            self._has_looked = True
            with suppress(ProviderError):
                await self.list_models(_LOOK_SECONDS)
        return bool(self._is_llama)

    async def aclose(self) -> None:
        await self._upstream.aclose()

    async def _problem_of(self, entries: list[dict[str, Any]]) -> Problem | None:
        """Ollama's own word for its models is library; to be sure it is asked for what only Ollama has."""
        if not any(entry.get("owned_by") == "library" for entry in entries):
            return None
        with suppress(ProviderError):
            told = await self._upstream.json("GET", "/api/version", seconds=_PROPS_SECONDS, at_root=True)
            if isinstance(told, dict) and "version" in told:
                sentence = worded(
                    "This is an Ollama: through /v1 it leaves out the beginning of a long conversation without a word."
                    " Set TEAHOUSE_OLLAMA_URL={address} instead.",
                    address=self._upstream.base_url.removesuffix("/v1"),
                )
                return Problem(CUTS_PROMPTS, sentence)
        return None

    async def _slot_window(self) -> int | None:
        """The window of one of llama.cpp's slots: smaller than what the model was trained for. Counts the slots."""
        try:
            props = await self._upstream.json("GET", "/props", seconds=_PROPS_SECONDS, at_root=True)
        except ProviderError:
            return None
        props = props if isinstance(props, dict) else {}
        self.slots = positive(props.get("total_slots"), MOST_AT_ONCE)
        settings = props.get("default_generation_settings")
        return positive(settings.get("n_ctx")) if isinstance(settings, dict) else None


def _changed(body: dict[str, Any], refusal: str, ignored: list[str]) -> dict[str, Any] | None:
    changed = without_refused(body, refusal)
    if changed is None:
        return None
    if changed[1]:
        ignored.append(changed[1])
    return changed[0]


def _window_of(entry: dict[str, Any]) -> int | None:
    meta = entry["meta"] if isinstance(entry.get("meta"), dict) else {}
    offered = [*(entry.get(name) for name in _WINDOW_NAMES), meta.get("n_ctx"), meta.get("n_ctx_train")]
    return next((length for length in map(positive, offered) if length), None)


def from_settings(settings: Settings) -> OpenAIProvider | Pool[OpenAIProvider]:
    # Of servers that share a name either all cost money or none.
    paid = settings.openai_paid == "yes" or (
        settings.openai_paid == "auto" and not all(is_local_address(url) for url, _ in settings.openai_servers)
    )
    members = [
        (host_of(url), OpenAIProvider(Upstream(url, settings, key=key), paid=paid))
        for url, key in settings.openai_servers
    ]
    return members[0][1] if len(members) == 1 else Pool(members, slots=settings.model_slots)

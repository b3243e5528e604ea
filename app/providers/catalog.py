"""The configured model servers and the models of all of them."""

import asyncio
import logging
from dataclasses import dataclass, field

from app.clock import monotonic
from app.jobs.slots import Slots
from app.providers.base import CUTS_PROMPTS, PARTLY_AWAY, TOO_MANY, ChatProvider, ModelInfo
from app.providers.errors import ProviderError, ProviderUnavailable, ProviderUnusable
from app.providers.openai_compatible.price import with_price
from app.providers.registry import configured_kinds, is_demo, make_provider
from app.settings import Settings

logger = logging.getLogger(__name__)

DEADLINE = 1.5
FRESH_SECONDS = 5.0
AWAY_SECONDS, BACK_SECONDS = 1.0, 0.5  # an old failure is looked at again, and that is waited for so long
_EMBEDDED_SLOTS = 2  # the child has two; a third answer would only wait inside it
_REMOTE_SLOTS = 4  # of a server that does not say
_ANSWERS = frozenset({CUTS_PROMPTS, TOO_MANY, PARTLY_AWAY})


@dataclass(frozen=True, slots=True)
class ModelProblem:
    """`code` as ProviderError has it: then what is listed of the server is old; else as Problem has it: it answers."""

    provider: str
    message: str
    code: str = ProviderUnavailable.code

    @property
    def is_away(self) -> bool:
        return self.code not in _ANSWERS


@dataclass(frozen=True, slots=True)
class ModelList:
    items: list[ModelInfo] = field(default_factory=list)
    problems: list[ModelProblem] = field(default_factory=list)

    @property
    def first(self) -> ModelInfo | None:
        """Whom to ask where nobody has chosen. The demo model does not stand in for a server that is away."""
        found = next((model for model in self.items if "demo" not in model.capabilities), None)
        is_away = any(problem.is_away and problem.provider != "embedded" for problem in self.problems)
        return found or (self.items[0] if self.items and not is_away else None)

    def is_gone(self, model_id: str) -> bool:
        """Whether its server answers and does not have it."""
        provider = model_id.partition("/")[0]
        is_known = any(model.id == model_id for model in self.items)
        return not is_known and not any(problem.provider == provider for problem in self.problems)

    def default(self, *wanted: str | None) -> str | None:
        """The first of these that is not gone, else whom to ask where nobody has chosen."""
        kept = (model_id for model_id in wanted if model_id and not self.is_gone(model_id))
        return next(kept, self.first.id if self.first else None)


@dataclass(slots=True)
class _Known:
    """One provider's last list. After a failure the old list stays, with the reason beside it."""

    models: list[ModelInfo] = field(default_factory=list)
    problem: str | None = None
    code: str = ProviderUnavailable.code  # of the problem
    is_unusable: bool = False
    fresh_until: float = float("-inf")
    outdated: bool = False  # something changed there while it was being asked
    asking: asyncio.Task[None] | None = None

    @property
    def is_away(self) -> bool:
        return self.problem is not None and self.code not in _ANSWERS


def queue_of(settings: Settings, model: str) -> str:
    """Where answers of `model` (`<provider>/<name>`) wait: Ollama writes so many at once of each model."""
    provider = model.partition("/")[0]
    return model if provider == "ollama" and settings.model_slots is None else provider


class Providers:
    """Every model server of this process, made at first use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._is_wanted = configured_kinds(settings)
        self._made: dict[str, ChatProvider] = {}
        self._known = {name: _Known() for name in self._is_wanted}

    @classmethod
    async def open(cls, settings: Settings) -> "Providers":
        """With what has to be looked up first."""
        return cls(await with_price(settings))

    def names(self) -> list[str]:
        return list(self._is_wanted)

    def get(self, name: str) -> ChatProvider:
        """Raises KeyError for a provider that is unknown or not configured."""
        if name not in self._is_wanted:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = make_provider(name, self._settings)
        return self._made[name]

    def slots(self, queue: str) -> Slots:
        """Answers at once on all servers of a queue (queue_of) together."""
        name, limit = queue.partition("/")[0], self._settings.model_slots
        if name == "embedded":
            return Slots(min(limit or _EMBEDDED_SLOTS, _EMBEDDED_SLOTS))
        if name not in self._is_wanted:
            return Slots(1)  # not set up any more: the job runs, to fail with a reason instead of waiting for ever
        servers = self._settings.ollama_servers if name == "ollama" else self._settings.openai_servers
        count = max(1, len(servers))
        if limit is not None:
            return Slots(limit * count)
        if name == "ollama":
            return Slots(count, learned=True)
        made = self._made.get(name)
        return Slots((made and made.slots) or _REMOTE_SLOTS * count)

    def is_demo(self, name: str) -> bool:
        """Whether all it offers is the small model that is built in, not to be taken at its word."""
        return is_demo(self._settings, name)

    def expire(self, name: str) -> None:
        """What this server offers has changed: the next look asks it."""
        known = self._known[name]
        known.fresh_until, known.outdated = float("-inf"), known.asking is not None

    async def models(self, *, fresh: bool = False) -> ModelList:
        """What all offer. Nobody waits for a dead one longer than the deadline, nor for any whose list is known,

        unless it has to be `fresh`. Whether one that was away is back is looked at for a moment.
        """
        asking = [(known, task) for name, known in self._known.items() if (task := self._ask(name))]
        unknown = [task for known, task in asking if fresh or _is_new(known)]
        if unknown:
            await asyncio.wait(unknown, timeout=DEADLINE)
        elif away := [task for known, task in asking if known.is_away]:
            await asyncio.wait(away, timeout=BACK_SECONDS)
        listed = ModelList()
        for known in self._known.values():
            listed.items.extend(known.models)
        for name, known in self._known.items():
            problem = known.problem or ("It has not answered yet." if known.asking and _is_new(known) else None)
            is_only_hope = known.is_unusable and not listed.items
            if problem and (self._is_wanted[name] or known.models or is_only_hope):
                listed.problems.append(ModelProblem(name, problem, known.code))
        return listed

    async def aclose(self) -> None:
        tasks = [known.asking for known in self._known.values() if known.asking]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(provider.aclose() for provider in self._made.values()))
        self._made.clear()

    def _ask(self, name: str) -> asyncio.Task[None] | None:
        """The look-up under way, a new one if the list is old, None if it is fresh."""
        known = self._known[name]
        if known.asking is None and monotonic() >= known.fresh_until:
            known.asking = asyncio.create_task(self._refresh(name, known))
        return known.asking

    async def _refresh(self, name: str, known: _Known) -> None:
        try:
            provider = self.get(name)
            known.models = await provider.list_models()
            told = provider.problem
            known.problem, known.code = (told.message, told.code) if told else (None, ProviderError.code)
            known.is_unusable = False
        except ProviderError as error:
            known.is_unusable = isinstance(error, ProviderUnusable)
            if known.is_unusable or (not self._is_wanted[name] and isinstance(error, ProviderUnavailable)):
                known.models = []
            known.problem, known.code = error.message, error.code
        except Exception:
            logger.exception("The list of models of %s cannot be read", name)
            known.problem, known.code = "The list of models cannot be read.", ProviderError.code
        finally:
            known.fresh_until = monotonic() + (AWAY_SECONDS if known.is_away else FRESH_SECONDS)
            if known.outdated:
                known.fresh_until = float("-inf")
            known.asking, known.outdated = None, False


def _is_new(known: _Known) -> bool:
    """Never listed: neither models to show meanwhile nor a reason why not."""
    return not known.models and known.problem is None
